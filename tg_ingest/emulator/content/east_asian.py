"""Chinese and Japanese, written without spaces: news, software, cooking and chat."""

# ruff: noqa: RUF001  # letters that resemble Latin ones are what this text is made of

from tg_ingest.emulator.content.phrases import book

CHINESE_NEWS = book(
    headlines="""
{body}{decides}{matter}
{place}：{matter}
""",
    sentences="""
{body}{when}{decides}{matter}。
{place}的居民希望尽快解决{matter}的问题。
总费用约{amount}元，三分之一来自地方基金。
工程师林晓雯表示：“{remark}。”
{matter}的工程{when}在{place}开工。
没有人受伤，几小时后恢复了供电。
""",
    hashtags="#港口|#新闻|#交通|#天气|#学校",
    space="",
    body="市议会|港务局|学校委员会|轮渡公司",
    decides="批准了|推迟了|讨论了|重新审查了",
    matter="新人行桥|夜班公交|灯塔修缮|自行车道|免费午餐",
    place="北码头|老城区|东窗街|鱼市",
    when="周一|下周|夏天之前|明天上午|月底",
    amount="二百四十万|八十七万|一千二百万",
    remark="早该如此|这只是开始|今年最好的消息|还要再算一算",
)

CHINESE_TECH = book(
    headlines="""
{project} {version} 发布
{project}：{change}
""",
    sentences="""
{project} {version} 带来了{change}。
升级之后，{metric}下降了 {percent}%。
如果遇到问题，请先固定旧版本，再提交报告。
维护者希望大家帮忙测试{change}。
详细说明见下面的链接。
""",
    hashtags="#开源|#数据库|#发布",
    space="",
    project="溪流|灯塔|齿轮|Kestrel|Oxbow",
    version="1.0|2.3|0.9.4|5.1",
    change="增量备份|签名软件包|插件接口|更快的启动",
    metric="内存占用|启动时间|超时次数|索引大小",
    percent="12|18|25|31|40",
)

CHINESE_CHAT = book(
    sentences="""
说得对。
谢谢大家！
有人知道轮渡几点开吗？
早上好 ☀️
链接能再发一次吗？
哈哈哈 😂
我不太确定，等周一再看吧。
昨天去了，人真多。
这个做法很好吃👍🏽
""",
    space="",
)

JAPANESE_NEWS = book(
    headlines="""
{body}、{matter}を{decides}
{place}で{matter}
""",
    sentences="""
{body}は{when}、{matter}を{decides}した。
{place}の住民は{matter}の早い解決を求めている。
費用は約{amount}円と見込まれている。
「{remark}」と技師の森川さんは話した。
けが人はなく、数時間後に電気が戻った。
工事は{when}、{place}の近くで始まる。
""",
    hashtags="#港|#ニュース|#交通|#天気",
    space="",
    body="市議会|港湾局|教育委員会|フェリー会社",
    decides="承認|延期|検討|見直し",
    matter="新しい歩道橋|夜行バス|灯台の修理|自転車道|無料の給食",
    place="北埠頭|旧市街|魚市場|東の窓通り",
    when="月曜日|来週|夏までに|明日の朝|月末",
    amount="二億四千万|八千七百万|千二百万",
    remark="やっとですね|始まりにすぎません|今年一番の知らせです",
)

JAPANESE_COOKING = book(
    sentences="""
{dish}には{thing}と{thing}が必要です。
フライパンを温め、{thing}を入れて{minutes}分混ぜます。
祖母は{thing}なしで{dish}を作っていました。
布をかけて{minutes}分休ませます。
味が薄ければ、塩を少し足してください。
""",
    hashtags="#料理|#レシピ|#パン",
    space="",
    dish="味噌汁|カレー|おにぎり|野菜炒め",
    thing="ごま油|生姜|だし|レモンの皮|蜂蜜|にんにく",
    minutes="5|10|15|20",
)

JAPANESE_CHAT = book(
    sentences="""
そうですね。
ありがとうございます🙇🏻‍♀️
フェリーは何時に出ますか？
おはようございます ☀️
リンクをもう一度お願いします。
笑
昨日行きました。とても混んでいました。
""",
    space="",
)
