"""Arabic, written from right to left: news, cooking and chat."""

# ruff: noqa: RUF001  # letters that resemble Latin ones are what this text is made of

from tg_ingest.emulator.content.phrases import book

NEWS = book(
    headlines="""
{body} {decides} {matter}
{place}: {matter}
""",
    sentences="""
{body} {decides} {matter} {when}.
سكان {place} يطالبون بحل سريع لملف {matter}.
تبلغ الكلفة {amount} وفق مصادر البلدية.
قال {person}: «{remark}».
تبدأ أعمال {matter} {when} قرب {place}.
لم تقع إصابات، وعادت الكهرباء بعد ساعات قليلة.
""",
    hashtags="#الميناء|#أخبار|#النقل|#الطقس|#المدارس",
    right_to_left=True,
    body="المجلس البلدي|مجلس المدارس|مكتب النقل|اتحاد التجار",
    decides="يوافق على|يؤجل|يناقش|يراجع",
    matter="جسر المشاة الجديد|الحافلات الليلية|ترميم المنارة|سوق السمك|المكتبة العامة",
    place="الحي القديم|الميناء الشمالي|ساحة القمر|السوق الكبير",
    when="يوم الاثنين|الأسبوع المقبل|قبل الصيف|غدًا صباحًا|نهاية الشهر",
    amount="٢٫٤ مليون|٨٧٠ ألفًا|١٢ مليونًا|٩٥ ألفًا",
    person="المهندس سامر حداد|رئيس البلدية نبيل عون|المتحدث باسم الأهالي",
    remark="خطوة في الطريق الصحيح|تأخرنا كثيرًا|أفضل خبر هذا العام|سنعيد الحساب",
)

COOKING = book(
    sentences="""
نحتاج إلى {thing} و{thing} وقليل من الصبر.
نسخن المقلاة ثم نضيف {thing} ونحرك {minutes} دقائق.
كانت جدتي تحضر {dish} بدون {thing}.
نترك {dish} يرتاح {minutes} دقائق.
هل جرب أحد {dish} مع {thing}؟
""",
    hashtags="#وصفة|#مطبخ|#خبز",
    right_to_left=True,
    dish="الحساء|الخبز|الأرز|طبق العدس",
    thing="زيت الزيتون|الكمون|الثوم المشوي|عصير الليمون|العسل|البقدونس",
    minutes="خمس|سبع|ثماني|عشر",
)

CHAT = book(
    sentences="""
صحيح تمامًا.
شكرًا جزيلًا 🌹
هل يعرف أحد متى تغادر العبارة؟
صباح الخير للجميع ☀️
ممكن الرابط مرة أخرى؟
ههههه 😂
لا أظن، لننتظر إلى يوم الاثنين.
كنت هناك أمس، وكان المكان مزدحمًا.
""",
    right_to_left=True,
)
