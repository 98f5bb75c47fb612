"""Which language a text is in."""

import pytest

from examples.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hola", "es"),
        ("¿Cuál es la capital de España?", "es"),
        ("El gato duerme.", "es"),
        ("Cuéntame un chiste", "es"),
        ("Gracias por todo", "es"),
        ("traduce esto al inglés", "es"),
        ("What is the capital of Spain?", "en"),
        ("I like tacos and guacamole", "en"),
        ("Tell me a joke", "en"),
        ("Yes.", "en"),
        ("The answer is 42.", "en"),
        ("你好世界", "zh"),
        ("こんにちは世界", "ja"),
        ("Привет, мир", "ru"),
        ("مرحبا", "ar"),
        ("Madrid.", ""),
        ("42", ""),
        ("", ""),
    ],
)
def test_short_texts_tell_their_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_text_that_does_not_tell_is_what_is_said() -> None:
    assert language_of("Madrid.", "es") == "es"
