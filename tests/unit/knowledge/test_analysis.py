"""Spellings of a word meet after folding, stems and grams are stable, short texts get their language."""

from uuid import UUID

import pytest

from chatbot.knowledge.analysis.folding import fold, fold_accents
from chatbot.knowledge.analysis.languages import detect_language
from chatbot.knowledge.analysis.words import GRAM_DIMENSIONS, analyse, term_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("كتاب", "کتاب"),
        ("علي", "علی"),
        ("خانۀ", "خانه"),
        ("مدرسة", "مدرسه"),
        ("مُحَمَّد", "محمد"),
        ("کـــتاب", "کتاب"),
        ("\u202bکتاب\u202c", "کتاب"),
        ("۱۲۳", "123"),
        ("١٢٣", "123"),
        ("مسئول", "مسیول"),
        ("ＦＵＬＬ", "full"),
        ("ﻛﺘﺎب", "کتاب"),
    ],
)
def test_spellings_meet(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_zero_width_non_joiner_parts_words() -> None:
    assert fold("می‌رود") == "می رود"
    assert fold("Straße") == "straße"


def test_accents_are_folded_after_stemming() -> None:
    assert fold_accents("configuración") == "configuracion"
    assert [w.stem for w in analyse("configuración configuraciones", "es").words] == ["configur", "configur"]
    assert fold("niño") == "niño"


def test_stop_words_go_and_stems_meet() -> None:
    assert [w.stem for w in analyse("How do I return the returned items?", "en").words] == ["return", "return", "item"]
    assert [w.stem for w in analyse("چگونه سفارش را لغو کنم؟", "fa").words] == ["سفارش", "لغو"]


def test_a_language_without_a_stemmer_is_cut_plainly() -> None:
    assert [w.stem for w in analyse("Wie kann ich bezahlen", "de").words] == ["wie", "kann", "ich", "bezahlen"]
    assert [w.stem for w in analyse("退货政策", "zh").words] == ["退货", "货政", "政策"]


def test_misspelt_words_share_grams() -> None:
    right, wrong = (set(analyse(word, "en").grams) for word in ("subscription", "subscripton"))
    assert len(right & wrong) >= len(right) / 2
    assert all(0 <= gram < GRAM_DIMENSIONS for gram in right)


def test_term_keys_are_stable_and_belong_to_a_brand() -> None:
    brand, other = UUID(int=1), UUID(int=2)
    assert term_key(brand, "return") == term_key(brand, "return") == -1114975017638094374
    assert term_key(brand, "return") != term_key(other, "return")
    assert -(2**63) <= term_key(other, "x") < 2**63


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I reset my password?", "en"),
        ("¿Cómo cambio mi contraseña?", "es"),
        ("donde esta mi pedido", "es"),
        ("چطور رمز عبورم را عوض کنم", "fa"),
        ("سفارش من كجاست", "fa"),
        ("كيف يمكنني إعادة تعيين كلمة المرور الخاصة بي في المتجر", "ar"),
        ("Wie kann ich mein Passwort zurücksetzen?", "de"),
        ("как вернуть товар", "ru"),
        ("Xin چیست؟", "fa"),
        ("چطور WordPress plugin را نصب کنم", "fa"),
        ("PDFها", "fa"),
        ("Instagramم", "fa"),
        ("رمز WhatsAppم", "fa"),
        ("لینک Downloadش", "fa"),
        ("What is گفت‌وگوی پشتیبانی?", "en"),
        ("¿Qué es سامانهٔ زین?", "es"),
        ("كيف يمكنني تسجيل الدخول إلى حسابي من A to Z", "ar"),
    ],
)
def test_language_of_a_question(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_unclear_text_takes_the_default() -> None:
    assert detect_language("iPhone", default="fa") == "fa"
    assert detect_language("12345 !?", default="es") == "es"
    assert detect_language("¿Dónde está mi pedido?", among={"en"}, default="en") == "en"
