"""Passages written are found, only where and while they may be, in three languages, on the bundled PostgreSQL."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text as sql

from chatbot.core.ids import new_id
from chatbot.db.models import KnowledgeSource
from chatbot.db.sessions import Database
from chatbot.knowledge.embedding.minilm import MiniLmEmbedder
from chatbot.knowledge.index.chosen import Chosen
from chatbot.knowledge.index.drafts import PassageDraft, SourceVersion
from chatbot.knowledge.index.embed import embed_drafts
from chatbot.knowledge.index.passages import index_passages, remove_passages
from chatbot.knowledge.index.vectors import PostgresVectors
from chatbot.knowledge.retrieval.config import KnowledgeFilters, RetrievalConfig
from chatbot.knowledge.retrieval.results import RetrievalResult
from chatbot.knowledge.retrieval.service import Retriever
from tests.conftest import TenantRows

SHOP = {
    "en": {
        "Returns": "You can return an unused item within 30 days of delivery. Refunds reach your card in five days.",
        "Delivery": "Orders are shipped within two working days. Express delivery costs 9 euros and takes one day.",
        "Payment": "We accept Visa, Mastercard and PayPal. Your card is charged when the parcel leaves the warehouse.",
        "Warranty": "Every bicycle has a warranty of two years on the frame and one year on the brakes.",
        "Account": "To change your password, open Settings, choose Security and type the new password twice.",
        "Opening hours": "The shop in Vienna is open from Monday to Saturday, nine to six.",
    },
    "es": {
        "Devoluciones": "Puedes devolver un artículo sin usar en un plazo de 30 días desde la entrega.",
        "Envíos": "Los pedidos se envían en dos días laborables. El envío urgente cuesta 9 euros.",
        "Pagos": "Aceptamos Visa, Mastercard y PayPal. El cobro se hace cuando el paquete sale del almacén.",
        "Garantía": "Todas las bicicletas tienen dos años de garantía en el cuadro y uno en los frenos.",
        "Cuenta": "Para cambiar la contraseña abre Ajustes, elige Seguridad y escribe la nueva contraseña.",
    },
    "fa": {
        "بازگشت کالا": "کالای استفاده‌نشده را می‌توانید تا ۳۰ روز پس از تحویل پس بفرستید و پول آن را بگیرید.",
        "ارسال سفارش": "سفارش‌ها ظرف دو روز کاری ارسال می‌شوند. هزینهٔ ارسال فوری ۹۰ هزار تومان است.",
        "پرداخت": "پرداخت با کارت‌های عضو شتاب انجام می‌شود و پس از خروج بسته از انبار نهایی می‌شود.",
        "گارانتی": "همهٔ دوچرخه‌ها دو سال گارانتی بدنه و یک سال گارانتی ترمز دارند.",
        "حساب کاربری": "برای تغییر رمز عبور به تنظیمات بروید، امنیت را انتخاب کنید و رمز تازه را وارد کنید.",
    },
}

SMALL_SHOP = """
We sell saffron from Khorasan and hand painted tiles from Valencia. Our shop in Valencia is open Monday to Saturday from
10:00 to 20:00. On Sundays and public holidays we are closed.

Orders inside Spain arrive in 2 to 3 working days. Germany and France take 4 to 6 working days. Shipping is free for
orders above 60 euro.

You can return unused tiles within 30 days of delivery. Opened saffron tins cannot be returned. Refunds are made to the
card you paid with.
"""


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> MiniLmEmbedder:
    return MiniLmEmbedder(tmp_path_factory.mktemp("models"))


async def add(
    database: Database,
    tenant: TenantRows,
    title: str,
    texts: Sequence[str],
    language: str = "en",
    *,
    embedder: MiniLmEmbedder | None = None,
    visibility: str = "public",
    tags: Sequence[str] = (),
    live: bool = True,
) -> UUID:
    source_id = new_id()
    drafts = [PassageDraft(ordinal, text, language) for ordinal, text in enumerate(texts)]
    vectors = [await embed_drafts(embedder, title, drafts)] if embedder else []
    async with database.tenant(tenant.id) as session:
        session.add(
            KnowledgeSource(
                tenant_id=tenant.id, id=source_id, brand_id=tenant.brand_id, kind="text", title=title,
                external_id=title, version=1, live_version=1 if live else None, tags=list(tags), visibility=visibility,
            )
        )  # fmt: skip
        await session.flush()
        where = SourceVersion(tenant.brand_id, source_id, 1, title)
        assert await index_passages(session, where, drafts, vectors=vectors, store=PostgresVectors()) == len(texts)
    return source_id


async def ask(
    database: Database,
    tenant: TenantRows,
    query: str,
    *,
    retriever: Retriever | None = None,
    brand_id: UUID | None = None,
    for_staff: bool = False,
    language: str | None = None,
    **config: object,
) -> RetrievalResult:
    retriever = retriever or Retriever()
    vectors = await retriever.embed_query(query)
    async with database.tenant_reader(tenant.id) as session:
        return await retriever.retrieve(
            session,
            tenant_id=tenant.id,
            brand_id=brand_id or tenant.brand_id,
            query=query,
            vectors=vectors,
            config=RetrievalConfig.model_validate(config),
            for_staff=for_staff,
            language=language,
        )


async def fill(database: Database, tenant: TenantRows, language: str, embedder: MiniLmEmbedder | None = None) -> None:
    for title, body in SHOP[language].items():
        await add(database, tenant, title, [body], language, embedder=embedder)


@pytest.mark.parametrize(
    ("language", "query", "title"),
    [
        ("en", "How many days do I have to return an item?", "Returns"),
        ("en", "how can I change my pasword", "Account"),
        ("es", "¿Cuántos días tengo para devolver un artículo?", "Devoluciones"),
        ("es", "como cambio la contrasena", "Cuenta"),
        ("fa", "چند روز برای پس فرستادن کالا وقت دارم؟", "بازگشت کالا"),
        ("fa", "هزينه ارسال فوري چقدر است", "ارسال سفارش"),
        ("fa", "گارانتی دوچرخه چند سال است؟", "گارانتی"),
    ],
)
async def test_a_handful_of_passages_answers(
    database: Database, tenant: TenantRows, language: str, query: str, title: str
) -> None:
    await fill(database, tenant, language)
    found = await ask(database, tenant, query)
    assert found.results[0].title == title
    assert found.answerable
    assert found.context[0].title == title


@pytest.mark.parametrize(
    ("language", "query", "title"),
    [
        ("en", "warrnty of a bycicle", "Warranty"),
        ("es", "garanía de las bicicltas", "Garantía"),
        ("fa", "گارنتی دوچرحه", "گارانتی"),
    ],
)
async def test_words_that_are_all_misspelt_still_lead_to_the_passage(
    database: Database, tenant: TenantRows, language: str, query: str, title: str
) -> None:
    await fill(database, tenant, language)
    found = await ask(database, tenant, query)
    assert found.results[0].title == title


@pytest.mark.parametrize(
    ("language", "query"),
    [
        ("en", "What is the capital of France?"),
        ("en", "hello there"),
        ("en", "who won the world cup in 1998"),
        ("es", "¿Cuál es la capital de Francia?"),
        ("es", "hola, buenos días"),
        ("fa", "پایتخت فرانسه کجاست؟"),
        ("fa", "سلام، حال شما چطور است"),
        ("fa", "بهترین فیلم سال کدام بود"),
    ],
)
async def test_what_a_handful_of_passages_does_not_know(
    database: Database, tenant: TenantRows, language: str, query: str
) -> None:
    await fill(database, tenant, language)
    found = await ask(database, tenant, query)
    assert not found.answerable
    assert found.context == ()
    assert {result.cut for result in found.results} <= {"no_evidence"}


@pytest.mark.parametrize(
    ("query", "answerable"),
    [
        ("Is shipping free?", True),
        ("Can I return saffron?", True),
        ("When are you closed?", True),
        ("Do you have saffron tea?", False),
        ("Do you deliver to Italy?", False),
        ("Do you sell carpets?", False),
    ],
)
async def test_of_a_short_question_each_word_counts(
    database: Database, tenant: TenantRows, embedder: MiniLmEmbedder, query: str, *, answerable: bool
) -> None:
    """A page of a small shop: all of it is about saffron, delivery and opening hours."""
    await add(database, tenant, "Saffron & Tile", SMALL_SHOP.strip().split("\n\n"), embedder=embedder)
    found = await ask(database, tenant, query, retriever=Retriever([embedder]))
    assert found.answerable is answerable, found.evidence


async def test_meaning_finds_what_words_do_not(
    database: Database, tenant: TenantRows, embedder: MiniLmEmbedder
) -> None:
    await fill(database, tenant, "en", embedder)
    hybrid = Retriever([embedder])
    found = await ask(database, tenant, "Can I get my money back?", retriever=hybrid)
    assert found.results[0].title == "Returns"
    assert found.results[0].vector_score is not None
    assert found.answerable
    off_topic = await ask(database, tenant, "What is the capital of France?", retriever=hybrid)
    assert not off_topic.answerable
    assert [stage.name for stage in found.stages] == [
        "normalise", "lexical", "vector", "filter", "fuse", "evidence", "choose",
    ]  # fmt: skip


async def test_an_embedder_is_not_asked_about_a_language_it_does_not_know(
    database: Database, tenant: TenantRows, embedder: MiniLmEmbedder
) -> None:
    await fill(database, tenant, "fa", embedder)
    found = await ask(database, tenant, "گارانتی دوچرخه چند سال است؟", retriever=Retriever([embedder]))
    assert "vector" not in [stage.name for stage in found.stages]
    assert found.results[0].vector_score is None


async def test_nobody_finds_another_tenants_passages(
    database: Database, tenant: TenantRows, other_tenant: TenantRows, embedder: MiniLmEmbedder
) -> None:
    await add(database, tenant, "Secret", ["the canary sings at midnight"], embedder=embedder)
    hybrid = Retriever([embedder])
    mine = await ask(database, tenant, "canary midnight", retriever=hybrid)
    theirs = await ask(database, other_tenant, "canary midnight", retriever=hybrid)
    forged = await ask(database, other_tenant, "canary midnight", retriever=hybrid, brand_id=tenant.brand_id)
    assert len(mine.results) == 1
    assert theirs.results == forged.results == ()
    assert forged.evidence == 0.0


async def test_only_live_visible_and_tagged_passages_are_found(database: Database, tenant: TenantRows) -> None:
    await add(database, tenant, "Live", ["parcel tracking number"], tags=["post"])
    await add(database, tenant, "Staff", ["parcel tracking number of staff"], visibility="internal")
    await add(database, tenant, "Draft", ["parcel tracking number draft"], live=False)
    public = await ask(database, tenant, "parcel tracking number")
    staff = KnowledgeFilters(visibility=("public", "internal"))
    everybody = await ask(database, tenant, "parcel tracking number", filters=staff, for_staff=True)
    misconfigured = await ask(database, tenant, "parcel tracking number", filters=staff)
    tagged = await ask(database, tenant, "parcel tracking number", filters=KnowledgeFilters(tags=("post",)))
    other = await ask(database, tenant, "parcel tracking number", filters=KnowledgeFilters(tags=("none",)))
    assert [result.title for result in public.results] == ["Live"]
    assert {result.title for result in everybody.results} == {"Live", "Staff"}
    assert [result.title for result in misconfigured.results] == ["Live"]
    assert [result.title for result in tagged.results] == ["Live"]
    assert other.results == ()


async def test_indexing_twice_changes_nothing_and_removal_uncounts(database: Database, tenant: TenantRows) -> None:
    kept = await add(database, tenant, "Kept", ["tandem bicycle"])
    gone = await add(database, tenant, "Gone", ["tandem parachute", "parachute manual"])
    async with database.tenant(tenant.id) as session:
        again = SourceVersion(tenant.brand_id, gone, 1, "Gone")
        assert await index_passages(session, again, [PassageDraft(0, "tandem parachute", "en")]) == 0
        assert await remove_passages(session, tenant.brand_id, [Chosen(gone, keep_version=1)]) == []
        assert len(await remove_passages(session, tenant.brand_id, [Chosen(gone)])) == 2
        counted = sql("SELECT word, passages FROM term_statistics WHERE brand_id = :brand")
        words = dict((await session.execute(counted, {"brand": tenant.brand_id})).tuples().all())
        size = (await session.execute(sql("SELECT passages, languages FROM brand_statistics"))).one()
    assert words == {"kept": 1, "tandem": 1, "bicycl": 1}
    assert tuple(size) == (1, {"en": 1})
    found = await ask(database, tenant, "tandem parachute")
    assert [result.source_id for result in found.results] == [kept]


NAMED = {
    "en": ("Getting to know Xin", "Xin is a support platform. Xin runs on your machines; Xin shows its sources."),
    "es": (
        "Conocer Xin",
        "Xin es una plataforma de soporte. Xin se ejecuta en sus servidores; Xin cita.",
    ),
    "fa": (
        "آشنایی با زین",
        "زین (Xin) یک سامانهٔ پشتیبانی است که هر شرکت روی سرور خودش اجرا می‌کند.",
    ),
}


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("Xin چیست؟", "fa"),
        ("سامانهٔ Xin چیست؟", "fa"),
        ("What is Xin?", "en"),
        ("¿Qué es Xin?", "es"),
    ],
)
@pytest.mark.parametrize("with_vectors", [False, True], ids=["words", "vectors"])
async def test_of_passages_in_several_languages_those_in_the_questions_own_go_first(
    database: Database, tenant: TenantRows, embedder: MiniLmEmbedder, query: str, language: str, *, with_vectors: bool
) -> None:
    for spoken, (title, text) in NAMED.items():
        for part in range(4):
            await add(database, tenant, f"{title} {part}", [text], spoken, embedder=embedder if with_vectors else None)
    found = await ask(database, tenant, query, retriever=Retriever([embedder] if with_vectors else []))
    assert found.answerable
    assert {passage.language for passage in found.results[:4]} == {language}
    assert found.results[4].language != language


async def test_what_is_only_in_another_language_answers(database: Database, tenant: TenantRows) -> None:
    for title, body in SHOP["es"].items():
        await add(database, tenant, title, [body], "es")
    await add(
        database, tenant, "Getting to know us", ["We sell bicycles in Vienna and send them to all of Europe."], "en"
    )
    found = await ask(database, tenant, "Do you take Mastercard or Visa?")
    assert found.answerable
    assert found.results[0].title == "Pagos"


async def test_whoever_asks_may_say_in_which_language(database: Database, tenant: TenantRows) -> None:
    for spoken, (title, text) in NAMED.items():
        await add(database, tenant, title, [text], spoken)
    for language in NAMED:
        found = await ask(database, tenant, "Xin?", language=language)
        assert found.results[0].language == language


async def test_a_name_in_all_languages_does_not_fill_the_candidates_with_one(
    database: Database, tenant: TenantRows
) -> None:
    title, text = NAMED["es"]
    await add(database, tenant, title, [f"{text} {number}" for number in range(80)], "es")
    await add(database, tenant, *NAMED["fa"][:1], [NAMED["fa"][1]], "fa")
    assert (await ask(database, tenant, "Xin چیست؟")).results[0].language == "fa"


async def test_the_search_functions_belong_to_the_platform_role(database: Database, tenant: TenantRows) -> None:
    async with database.tenant(tenant.id) as session:
        rows = await session.execute(
            sql(
                "SELECT proname, pg_get_userbyid(proowner), prosecdef, "
                "has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc "
                "WHERE proname LIKE 'xin\\_%' AND prosecdef ORDER BY 1"
            )
        )
        functions = [tuple(row) for row in rows]
    assert functions == [
        ("xin_candidates_all", "xin_platform", True, False),
        ("xin_candidates_any", "xin_platform", True, False),
        ("xin_find_messages", "xin_platform", True, False),
        ("xin_nearest", "xin_platform", True, False),
        ("xin_nearest_indexed", "xin_platform", True, False),
        ("xin_search", "xin_platform", True, False),
        ("xin_search", "xin_platform", True, False),  # as processes of the release before call it
        ("xin_similar_words", "xin_platform", True, False),
    ]


async def test_an_empty_brand_answers_nothing(database: Database, tenant: TenantRows, tmp_path: Path) -> None:
    found = await ask(database, tenant, "anything at all", retriever=Retriever([MiniLmEmbedder(tmp_path)]))
    assert found.results == ()
    assert not found.answerable
    assert (await ask(database, tenant, "  ")).evidence == 0.0
