"""English: news of a harbour town, software, football, cooking, and what people say in chats."""

from tg_ingest.emulator.content.phrases import book

NEWS = book(
    headlines="""
{place}: {body} {decides} {matter}
{body} {decides} {matter}
{amount} for {matter}
What changes in {place} {when}
{place} prepares for {event}
""",
    sentences="""
{body} {decides} {matter} {when}.
Residents of {place} say that {matter} cannot wait any longer.
The cost is put at {amount}, a third of it from the regional fund.
{person} called the decision on {matter} "{remark}".
{event} will close the road near {place} {when}.
According to {person}, work on {matter} begins {when}.
Nobody was hurt, but {place} stayed without power for {hours} hours.
{body} will publish the full report on {matter} {when}.
Ferries to {place} run every {hours} hours because of {event}.
""",
    hashtags="#harbour|#citycouncil|#ferries|#weather|#transport|#schools|#budget",
    place="Northgate|Lantern Quay|the Old Mill district|Saltmarsh|Heron Island|Tidewell|the fish market|Pier Nine",
    body="the town council|the port authority|the school board|the ferry company|the regional court|the water works",
    decides="approves|postpones|questions|votes on|doubles the money for|takes a second look at",
    matter="the new footbridge|night buses|the flood wall|free school meals|the lighthouse repair|cycle lanes",
    when="on Monday|next week|before the summer|this Friday|by the end of the month|tomorrow morning",
    amount="€2.4 million|€870,000|€12 million|€95,000|€340,000|just under €1.1 million",
    event="the lantern parade|the spring tide|a two-day strike|the harbour marathon|the winter market",
    person="Mayor Ines Calloway|harbour master Tom Brandt|councillor Ada Whitlock|engineer Priya Nair",
    remark="overdue|a start, no more|the best news this year|too little, too late",
    hours="two|three|four|six|eight",
)

TECH = book(
    headlines="""
{project} {version} is out
{project}: {change}
Why we moved from {project} to {other}
{change} in {project} {version}
""",
    sentences="""
{project} {version} brings {change}.
After the upgrade {metric} fell by {percent} %.
We spent two evenings on {problem}; the fix was one line.
Before you update, read the note about {problem}.
The maintainers of {project} ask for help with {change}.
On an old laptop {metric} is {percent} % better than in {other}.
If you see {problem}, pin the previous release and open an issue.
A short write-up on {change} is linked below.
""",
    hashtags="#opensource|#release|#databases|#python|#networking|#security",
    project="Tidepool|Lanternfish|Gearbox|Quill|Meshwork|Oxbow|Paperclip DB|Kestrel",
    other="Driftwood|Ironbark|Plainsong|Cobble|Fernhill",
    version="1.0|2.3|0.9.4|4.0 beta|5.1|3.12",
    change="a smaller memory footprint|incremental backups|signed packages|a plug-in API|parallel restores",
    metric="start-up time|the size of the index|memory use|the number of timeouts|build time|tail latency",
    percent="12|18|25|31|40|7",
    problem="a deadlock on shutdown|wrong time zones|lost connections|stale caches|an off-by-one in paging",
)

FOOTBALL = book(
    headlines="""
{team} {score} {rival}
{player} saves {team} {minute}
{team} before the derby: {state}
""",
    sentences="""
{team} and {rival} end {score} {place}.
{player} scored {minute} and ran straight to the bench.
The coach said the team is {state}.
{rival} finished with ten men after a second yellow for {player}.
Two shots hit the post; {player} could have decided it {minute}.
Next stop for {team}: {rival}, {place}.
Honestly, {player} was the best on the pitch.
""",
    hashtags="#derby|#matchday|#transfer|#league",
    team="Harbour Town|Rovers of Saltmarsh|Athletic Northgate|Lighthouse United|Mill End",
    rival="Castle Rangers|Tidewell City|Real Puente|Racing del Faro|FC Linden",
    player="Okonjo|Lindqvist|Marchetti|young Baptiste|captain Reyes|goalkeeper Duarte|substitute Hale",
    score="2-1|0-0|3-2|1-1|4-0|1-3",
    minute="in the 89th minute|after the break|from the spot|in stoppage time|within ten minutes",
    state="tired but proud|ready|missing three regulars|full of confidence|in a small crisis",
    place="at home|away|in the rain|in front of 18,000|behind closed doors",
)

COOKING = book(
    headlines="""
{dish} in {minutes} minutes
{dish} with {thing}
The trick for {dish}
""",
    sentences="""
For {dish} you need {thing}, {thing} and a little patience.
Heat the pan, add {thing} and stir for {minutes} minutes.
My grandmother made {dish} without {thing}, and she was right.
Leave it to rest for {minutes} minutes under a cloth.
If it tastes flat, {rescue}.
Serve {dish} with {thing} and something cold.
Does {thing} work here, or is it too strong?
""",
    hashtags="#recipe|#bread|#soup|#slowfood",
    dish="lentil soup|sourdough|fish pie|potato pancakes|apple crumble|chickpea stew|mushroom risotto",
    thing="smoked paprika|brown butter|fresh dill|roasted garlic|lemon zest|rye flour|a spoon of honey|olive oil",
    minutes="5|10|15|20|35|45",
    rescue="add a pinch of salt|a squeeze of lemon helps|give it another ten minutes|start again, it happens",
)

CHAT = book(
    sentences="""
{agree}
{agree} {but}
Does anybody know {question}?
I was at {place} yesterday, {seen}.
{seen}, as always.
Thanks, that helped!
Can you post the link again?
+1
lol
Same here. {but}
Not sure about that. {but}
Wait, {question}?
Good morning everyone ☀️
{agree} See you at {place}.
""",
    agree="Exactly.|I agree.|Right.|Fair point.|Yes, of course.|Well said!|No way 😂|True.",
    but="But the price is a joke.|Who is going to pay for it?|I would wait a week.|Let's see on Monday.",
    question="when the ferry leaves|who won in the end|if the library is open|where this was filmed",
    place="the market|Pier Nine|the stadium|the new bakery|the library",
    seen="it was packed|nobody there|great atmosphere|the queue went round the corner|it rained the whole time",
)
