"""Which language a text is in, as far as this stack has to know: Spanish or English by their small words, others by
their script.

A library that knows a hundred languages takes 130 MB, and takes "Hola" for Serbian.
"""

import re
import unicodedata
from collections import Counter

WORD = re.compile(r"[^\W\d_]+")
# Scripts that one language of many readers stands for here; a voice is chosen by it.
SCRIPTS = {
    "CJK": "zh",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPANISH = _words("""
    a al algo aquí así años buenas bueno buenos capital como cómo con cuál cuáles cuándo cuándo cuánto cuántos
    cuántas cuéntame de del dame días dime dónde dos el ella ellos en era eres es esa ese eso esta está estás este
    esto estoy favor fue gracias hace hacer hay haz hola hoy la las le lo los más me mi mis mucho muy nada ni nos
    nosotros nunca o otra otro para pero poco por porque puede puedes puedo que qué quién quiero qual se sé según
    ser si sí siempre sin sobre son soy su sus también te tengo tiene tienes tiempo todo todos tres tu tú tus un una
    unas uno unos usted vale ver vez y ya yo ayuda traduce escribe explica explícame resume mañana tarde noche
    noches adiós
""")
ENGLISH = _words("""
    a about all an and are as at be because been but by can could do does for from good had has have he hello help
    her here hi his how i if in into is it its just know like make many me more much my no not of on one or our out
    please say she should so some tell than thank thanks that the their them then there they this time to today two
    up us was we were what when where which who why will with would write yes you your explain translate name give
    morning
""")


def language_of(text: str, otherwise: str = "") -> str:
    """A code of ISO 639-1, such as `es`; `otherwise` for a text that does not tell."""
    scripts = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in text if letter.isalpha())
    for script in ("HIRAGANA", "KATAKANA"):  # Chinese letters come along with them
        if scripts[script]:
            return SCRIPTS[script]
    script = max(scripts, key=lambda name: scripts[name], default="LATIN")
    if script != "LATIN":
        return SCRIPTS.get(script, otherwise)
    words = [word.lower() for word in WORD.findall(text)]
    spanish = sum(word in SPANISH for word in words) + 2 * len(re.findall("[ñ¿¡]", text.lower()))
    spanish += len(re.findall("[áíóú]", text.lower()))
    english = sum(word in ENGLISH for word in words)
    if spanish == english:
        return otherwise
    return "es" if spanish > english else "en"
