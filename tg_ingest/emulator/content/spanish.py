"""Spanish: news, football, cooking and chat."""

from tg_ingest.emulator.content.phrases import book

NEWS = book(
    headlines="""
{body} {decides} {matter}
{place}: {matter}, a debate público
Lo que cambia en {place} {when}
""",
    sentences="""
{body} {decides} {matter} {when}.
Los vecinos de {place} piden soluciones para {matter}.
El presupuesto asciende a {amount}, según fuentes municipales.
«{remark}», resumió {person} al salir de la reunión.
Las obras empezarán {when} en {place}.
No hubo heridos, aunque {place} pasó varias horas sin luz.
""",
    hashtags="#puerto|#ayuntamiento|#transporte|#lluvia|#vivienda",
    body="El ayuntamiento|La autoridad portuaria|El consejo escolar|La junta vecinal|El tribunal regional",
    decides="aprueba|aplaza|revisa|somete a votación|defiende",
    matter="la pasarela peatonal|los autobuses nocturnos|el comedor escolar|la reforma del faro|los carriles bici",
    place="Puente Viejo|el barrio de la Sal|Isla Garza|la lonja|Molino Alto",
    when="el lunes|la próxima semana|antes del verano|este viernes|a final de año|mañana",
    amount="2,4 millones de euros|870.000 euros|12 millones|95.000 euros",
    person="la alcaldesa Inés Calero|el ingeniero Tomás Bravo|la concejala Ada Blanco|el portavoz vecinal",
    remark="Ya era hora|Es un comienzo|Llega tarde|La mejor noticia del año|Hay que hacer números",
)

FOOTBALL = book(
    headlines="""
{team} {score} {rival}
¡{player} {minute}!
{team}, {state}
""",
    sentences="""
{team} y {rival}, {score} {place}.
¡Golazo! {player} {minute} ⚽
El míster asegura que el equipo está {state}.
{rival} terminó con diez y {player} lo aprovechó {minute}.
Dos balones al palo y {player} la tuvo {minute}.
Para mí {player} fue el mejor del partido.
¿Alguien tiene entrada para el partido contra {rival}?
Qué nervios, de verdad, {place} se sufre más.
""",
    hashtags="#golazo|#derbi|#jornada|#fichajes",
    team="Racing del Faro|Real Puente|Atlético Salinas|Unión Molino|Deportivo Garza",
    rival="Castillo CF|Harbour Town|Sporting Ribera|Lighthouse United|FC Linden",
    player="Ocampo|Lindqvist|Marchetti|el joven Bautista|el capitán Reyes|el portero Duarte",
    score="2-1|0-0|3-2|1-1|4-0",
    minute="en el 89|tras el descanso|de penalti|en el descuento|a los diez minutos",
    state="cansado pero feliz|listo|con tres bajas|lleno de confianza|en una pequeña crisis",
    place="en casa|fuera|bajo la lluvia|ante 18.000 personas|a puerta cerrada",
)

COOKING = book(
    headlines="""
{dish} en {minutes} minutos
{dish} con {thing}
""",
    sentences="""
Para {dish} hacen falta {thing}, {thing} y un poco de paciencia.
Se calienta la sartén, se añade {thing} y se remueve {minutes} minutos.
Mi abuela hacía {dish} sin {thing}, y tenía razón.
Hay que dejarlo reposar {minutes} minutos bajo un paño.
Si queda soso, {rescue}.
¿Alguien ha probado {dish} con {thing}?
""",
    hashtags="#receta|#pan|#sopa|#cocina",
    dish="tortilla de patatas|gazpacho|arroz con verduras|empanada|lentejas|flan casero",
    thing="pimentón ahumado|aceite de oliva|ajo asado|ralladura de limón|una cucharada de miel|perejil fresco",
    minutes="5|10|15|20|35",
    rescue="un poco más de sal|unas gotas de limón|diez minutos más|se empieza otra vez, pasa",
)

CHAT = book(
    sentences="""
{agree}
{agree} {but}
¿Alguien sabe {question}?
Ayer estuve en {place}, {seen}.
Gracias, me sirvió mucho 🙏
¿Puedes pasar el enlace otra vez?
jajaja
Buenos días a todos ☀️
Ni idea. {but}
Vamos!!! 💪
""",
    agree="Exacto.|De acuerdo.|Totalmente.|Claro que sí.|Bien dicho.|No me lo creo 😂",
    but="Pero el precio es una broma.|¿Y quién lo paga?|Yo esperaría una semana.|A ver el lunes.",
    question="a qué hora sale el ferry|quién ganó al final|si abre la biblioteca|dónde se rodó esto",
    place="el mercado|el estadio|la panadería nueva|el muelle|la biblioteca",
    seen="estaba lleno|no había nadie|un ambiente increíble|la cola daba la vuelta|llovió todo el rato",
)
