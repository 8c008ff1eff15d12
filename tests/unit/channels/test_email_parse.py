"""Mails read into events: whatever is in them, and however broken they are."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.channels.events import Echo, InboundEvent, Message, Receipt, Unsupported
from chatbot.channels.loops import may_answer
from chatbot.channels.providers.email import EMAIL, mime
from chatbot.channels.providers.email.html_text import html_text
from chatbot.channels.providers.email.replies import new_text
from chatbot.channels.providers.email.threads import our_message_id, plain_subject
from tests.unit.channels.mails import OURS, THREAD, mail, message_of, read
from tests.unit.channels.peer import DELIVERY

LIMITS = EMAIL.capabilities.answers_at_most
OUR_ID = our_message_id(THREAD, DELIVERY, "acme.test")


def test_a_mail_is_a_message() -> None:
    event = read(mail())
    assert event.id == event.message_id == "m1@customer.test"
    assert event.sender is not None
    assert (event.sender.id, event.sender.name, event.sender.address) == (
        "ann@customer.test",
        "Ann",
        "ann@customer.test",
    )
    assert event.at == dt.datetime(2026, 1, 20, 9, tzinfo=dt.UTC)
    assert event.content == Message(text="Where is my order?", subject="Order 7")
    assert event.context == {
        "to": "ann@customer.test", "name": "Ann", "subject": "Order 7", "message_id": "m1@customer.test",
        "references": [],
    }  # fmt: skip


def test_files_come_with_their_bytes() -> None:
    message = mail()
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="عکس.png")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    message.add_attachment("a,b\n", subtype="csv", filename="a.csv")
    assert [(file.kind, file.mime, file.name, file.content) for file in message_of(read(message)).media] == [
        ("image", "image/png", "عکس.png", b"\x89PNG"), ("document", "application/pdf", "a.pdf", b"%PDF"),
        ("document", "text/csv", "a.csv", b"a,b\n"),
    ]  # fmt: skip


def test_a_forwarded_mail_is_a_file() -> None:
    message = mail()
    message.add_attachment(mail("inner", Subject="Inner"))
    [file] = message_of(read(message)).media
    assert (file.kind, file.mime) == ("document", "message/rfc822")
    assert b"Subject: Inner" in (file.content or b"")


def test_a_file_beyond_the_limit_is_named_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mime, "MAX_FILE_BYTES", 1_000)
    message = mail()
    message.add_attachment(b"x" * 1_001, maintype="video", subtype="mp4", filename="long.mp4")
    found = message_of(read(message))
    assert found.media == ()
    assert found.text == "Where is my order?\n\n[long.mp4: too large to keep]"


def test_html_alone_is_read_as_its_reader_sees_it() -> None:
    page = (
        "<html><head><style>p {color: red}</style></head><body><p>Hello<br>there</p><ul><li>one</li><li>two</li></ul>"
        "<div style='display:none'>hidden</div><p>See <a href='https://acme.test/x'>this page</a></p>"
        "<blockquote type='cite'>old words</blockquote></body></html>"
    )
    assert message_of(read(mail("", page))).text == (
        "Hello\nthere\n\n- one\n- two\n\nSee this page (https://acme.test/x)"
    )


def test_html_that_is_all_quoted_is_kept() -> None:
    assert html_text("<div class='gmail_quote'>forwarded words</div>") == "forwarded words"


def test_html_nested_without_end_takes_no_time() -> None:
    assert html_text("<div>" * 100_000 + "x") == ""


@pytest.mark.parametrize(
    ("charset", "text"),
    [("windows-1256", "سلام، سفارش من نرسید"), ("utf-8", "سفارش ۱۲۳"), ("iso-8859-1", "Größe"), ("x-unknown", "سلام"),
     ("punycode", "سلام"), ("utf-8", "caf\udce9")],
)  # fmt: skip
def test_charsets_known_and_unknown(charset: str, text: str) -> None:
    known = charset if charset in {"windows-1256", "iso-8859-1"} else "utf-8"
    data = text.replace("ی", "ي").encode(known, "surrogateescape")
    head = f"From: a@b.test\nMessage-ID: <x@b>\nContent-Type: text/plain; charset={charset}\n"
    found = message_of(read(head.encode() + b"Content-Transfer-Encoding: 8bit\n\n" + data)).text
    assert found == text.replace("ی", "ي").replace("\udce9", "é")


def test_raw_eight_bit_headers_are_read() -> None:
    event = read("From: علی <ali@customer.test>\nSubject: سفارش\nMessage-ID: <x@b>\n\nhi".encode())
    assert event.sender is not None
    assert (event.sender.name, message_of(event).subject) == ("علی", "سفارش")


def test_no_date_no_subject_no_id() -> None:
    first = read(mail(Date="", Subject="", Message_ID=""))
    again = read(mail(Date="", Subject="", Message_ID=""))
    other = read(mail("Other words", Date="", Subject="", Message_ID=""))
    assert first.at is None
    assert message_of(first).subject == ""
    assert first.message_id is None
    assert first.id == again.id != other.id
    assert first.id.startswith("sha256:")


def test_parts_under_another_boundary_are_found() -> None:
    body = b"----=_B\nContent-Type: text/plain\n\nwords\n----=_B--\n"
    head = b'From: a@b.test\nContent-Type: multipart/alternative; boundary="--=_A"\n\n'
    assert message_of(read(head + body)).text == "words"


def test_a_mail_nested_too_deeply_keeps_its_headers() -> None:
    head, nested = b"From: a@b.test\nSubject: Deep\n", b""
    for number in range(3_000):
        nested += b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (number, number)
    event = read(head + nested)
    assert message_of(event).subject == "Deep"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.sampled_from([
            b"From: ", b"a@b.test", b"\n", b"\n\n", b"Content-Type: multipart/mixed; boundary=x\n", b"--x\n",
            b"--x--\n",
            b"Content-Type: text/html; charset=\xff\n", b"Content-Transfer-Encoding: base64\n", b"=?utf-8?b?\xff==?=",
            b"Message-ID: <", b">", b"References: ", b"Date: ", b"Subject: ", b"\x00", b"\xff\xfe", b"<div>",
            b"Content-Type: message/rfc822\n", b"Content-Type: multipart/report; report-type=delivery-status\n",
            b"Content-Disposition: attachment; filename*=utf-9''%ff\n", b"To: ,,,<>\"", b"@", b"word ",
        ]) | st.binary(max_size=12),
        max_size=40,
    )
)  # fmt: skip
def test_any_bytes_are_an_event(parts: list[bytes]) -> None:
    event = read(b"".join(parts))
    assert 0 < len(event.id) <= 200
    assert len(event.thread) == 26


THREADS = {
    "its own follow-up": {"In_Reply_To": "<m1@customer.test>", "References": "<m1@customer.test>"},
    "another language's prefix": {"Subject": "AW: Order 7", "In_Reply_To": "<m1@customer.test>"},
    "without its headers": {"Subject": "RE: Re: order 7"},
    "from a Persian program": {"Subject": "پاسخ: Order 7"},
}


VERIFIED = {"Authentication_Results": "mx.acme.test; dmarc=pass header.from=customer.test"}


def verified(**headers: str) -> InboundEvent:
    """A mail that the receiving server found to be of the domain in its From."""
    return read(mail(**VERIFIED, **headers), authserv_id="mx.acme.test")


@pytest.mark.parametrize("headers", THREADS.values(), ids=THREADS.keys())
def test_a_customers_second_mail_stays_in_the_thread(headers: dict[str, str]) -> None:
    assert verified(Message_ID="<m2@customer.test>", **headers).thread == verified().thread


OUR_MARKS = {
    "in reply to us": {"In_Reply_To": f"<{OUR_ID}>"},
    "among its references": {"References": f"<m1@customer.test> <{OUR_ID}> <m2@customer.test>"},
    "to our plus-address": {"To": f"Acme <support+{THREAD}@acme.test>"},
    "delivered to it": {"Delivered_To": f"support+{THREAD}@acme.test"},
}


@pytest.mark.parametrize("headers", OUR_MARKS.values(), ids=OUR_MARKS.keys())
def test_our_marks_spell_the_thread_whatever_else_changed(headers: dict[str, str]) -> None:
    assert read(mail(Subject="Quite new", From="ann@phone.test", **headers)).thread == THREAD


def test_threads_of_others_are_others() -> None:
    first = verified().thread
    assert verified(From="Bob <bob@customer.test>").thread != first
    assert verified(Subject="Order 8").thread != first
    assert verified(Subject="", Message_ID="<a@b>").thread != verified(Subject="", Message_ID="<c@d>").thread
    # A short tag is a folder that all share.
    assert verified(To="support+sales@acme.test").thread == first


def test_a_foreign_helpdesks_token_is_a_thread() -> None:
    token = {"To": "reply+6bdc3f4d-0bed-4515-a284-5d916fdde489@acme.test"}
    assert read(mail(Subject="a", **token)).thread == read(mail(Subject="b", From="x@y.test", **token)).thread


def test_subjects_are_compared_without_prefixes() -> None:
    assert {plain_subject(text) for text in ("Hi", "re: HI", "Re[2]: Fwd: hi", "رد: hi", "回复：Hi", "SV:  hi ")} == {
        "hi"
    }


AUTOMATIC = {
    "auto-replied": {"Auto_Submitted": "auto-replied"},
    "auto-generated with parameters": {"Auto_Submitted": "auto-generated; owner=x"},
    "bulk": {"Precedence": "bulk"},
    "list": {"Precedence": "list"},
    "a mailing list": {"List_Id": "<users.lists.test>"},
    "autoreply": {"X_Autoreply": "yes"},
    "autorespond": {"X_Autorespond": "holiday"},
    "exchange": {"X_Auto_Response_Suppress": "DR, OOF, AutoReply"},
    "nobody": {"From": "no-reply@shop.test"},
    "a vacation notice": {"Return_Path": "<>", "Auto_Submitted": "auto-replied", "In_Reply_To": f"<{OUR_ID}>"},
}


@pytest.mark.parametrize("headers", AUTOMATIC.values(), ids=AUTOMATIC.keys())
def test_machines_are_kept_and_not_answered(headers: dict[str, str]) -> None:
    event = read(mail(**headers))
    assert event.content == Unsupported("auto-reply")
    assert event.raw["text"] == "Where is my order?"
    assert event.context == {}


def test_a_person_may_say_that_no_machine_wrote() -> None:
    assert isinstance(read(mail(Auto_Submitted="no", X_Auto_Response_Suppress="None")).content, Message)


def test_a_form_of_a_web_site_speaks_for_its_visitor() -> None:
    for sender in ("no-reply@shop.test", OURS):
        event = read(mail(From=sender, Reply_To="Eve <eve@customer.test>"))
        assert isinstance(event.content, Message)
        assert event.sender is not None
        assert event.sender.id == event.context["to"] == "eve@customer.test"


def test_our_own_mail_is_an_echo() -> None:
    assert isinstance(read(mail(From=f"Acme <{OURS}>")).content, Echo)
    assert isinstance(read(mail(From=OURS, Reply_To=f"support+{THREAD}@acme.test")).content, Echo)
    assert isinstance(read(mail(From=OURS, Auto_Submitted="auto-replied")).content, Echo)
    assert isinstance(read(mail(Message_ID=f"<{OUR_ID}>")).content, Echo)


def report(action: str, original: str = OUR_ID) -> bytes:
    return (
        "From: Mail Delivery System <MAILER-DAEMON@mx.test>\nTo: support@acme.test\nMessage-ID: <b1@mx.test>\n"
        "Return-Path: <>\nAuto-Submitted: auto-replied\nSubject: Undelivered Mail\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\n\n'
        "--B\nContent-Type: text/plain\n\nSorry.\n\n"
        "--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n"
        f"Final-Recipient: rfc822; ann@customer.test\nAction: {action}\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such\n user here\n\n"
        f"--B\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{original}>\nSubject: Re: Order 7\n\n--B--\n"
    ).encode()


def test_a_bounce_is_a_receipt_of_our_mail() -> None:
    event = read(report("failed"))
    assert event.content == Receipt("failed", (OUR_ID,), reason="smtp; 550 5.1.1 no such user here")
    assert (event.thread, event.sender) == (THREAD, None)
    assert read(report("relayed")).content == Receipt(
        "delivered", (OUR_ID,), reason="smtp; 550 5.1.1 no such user here"
    )


def test_bounces_that_say_nothing_final_about_us() -> None:
    assert read(report("delayed")).content == Unsupported("bounce")
    assert read(report("failed", "other@elsewhere.test")).content == Unsupported("bounce")
    assert read(mail(From="postmaster@mx.test")).content == Unsupported("bounce")
    assert read(mail(Return_Path="<>")).content == Unsupported("bounce")


def test_a_bounce_in_words_alone_counts_too() -> None:
    event = read(mail(f"Could not deliver.\n\nMessage-ID: <{OUR_ID}>", From="mailer-daemon@mx.test"))
    assert event.content == Receipt("failed", (OUR_ID,), reason="Could not deliver.")


def test_a_program_that_hides_is_answered_so_often_only() -> None:
    now = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    quick = [now - dt.timedelta(minutes=minute) for minute in range(5)]
    assert may_answer(LIMITS, [], now)
    assert may_answer(LIMITS, quick[:4], now)
    assert not may_answer(LIMITS, quick, now)
    assert may_answer(LIMITS, quick, now + dt.timedelta(hours=1))
    assert not may_answer(LIMITS, [now - dt.timedelta(minutes=20 * step) for step in range(30)], now)


FORWARDED = "See below\n\n---------- Forwarded message ---------\nFrom: x <x@y.test>\nDate: d\nTo: z\n\nwords"
REPLIES = {
    "English": "On Tue, 20 Jan 2026 at 10:00, Acme <support@acme.test> wrote:",
    "over two lines": "On Tue, 20 Jan 2026 at 10:00, Acme Customer Support\n<support@acme.test> wrote:",
    "Spanish": "El mar, 20 ene 2026 a las 10:00, Acme (<support@acme.test>) escribió:",
    "Portuguese": "Em ter., 20 de jan. de 2026 às 10:00, Acme <support@acme.test> escreveu:",
    "German": "Am Di., 20. Jan. 2026 um 10:00 Uhr schrieb Acme <support@acme.test>:",
    "French": "Le mar. 20 janv. 2026 à 10:00, Acme <support@acme.test> a écrit :",
    "Russian": "вт, 20 янв. 2026 г. в 10:00, Acme <support@acme.test>:",
    "Persian": "\u202bدر تاریخ سه‌شنبه ۳۰ دی ۱۴۰۴ ساعت ۱۰:۰۰ Acme <\u202asupport@acme.test\u202c\u200f> نوشت:\u202c",
    "Arabic": "في الثلاثاء، 20 يناير 2026 في 10:00 ص كتب Acme <support@acme.test>:",
    "Chinese": "Acme <support@acme.test> 于2026年1月20日周二 10:00写道：",
}


@pytest.mark.parametrize("header", REPLIES.values(), ids=REPLIES.keys())
def test_quoted_mails_are_cut(header: str) -> None:
    assert new_text(f"متن پاسخ\nNew words.\n\n{header}\n\n> old words\n>> older\n") == "متن پاسخ\nNew words."


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("New\n\nFrom: Acme <a@b.test>\nSent: Monday\nTo: Ann\nSubject: x\n\nold", "New"),
        ("جدید\n\nاز: پشتیبانی\nارسال شده: دوشنبه\nبه: آن\nموضوع: x\n\nقدیمی", "جدید"),
        ("New\n\n-----Original Message-----\nold", "New"),
        ("> question one\nanswer one\n> question two\nanswer two", "answer one\nanswer two"),
        ("Hi,\nThanks, that helped. But my order is missing.", "Hi,\nThanks, that helped. But my order is missing."),
        ("Items:\n- one\n- two", "Items:\n- one\n- two"),
        ("Words\n\nBest regards,\nAnn Smith\n+1 555 0100", "Words"),
        ("سلام\n\nبا احترام\nعلی", "سلام"),
        ("مرحبا\n\nمع تحياتي\nأحمد", "مرحبا"),
        ("Words\n-- \nAnn\nAcme Ltd.", "Words"),
        ("Words\n\nSent from my iPhone", "Words"),
        ("Best regards,\nAnn", "Best regards,\nAnn"),
        ("> all is quoted", "> all is quoted"),
        (FORWARDED, FORWARDED),
    ],
)  # fmt: skip
def test_what_is_cut_and_what_is_not(body: str, expected: str) -> None:
    assert new_text(body) == expected


@pytest.mark.parametrize(
    "unit",
    [
        "\n", " \n", "On " + "a " * 90 + "\n", "From: \n", "\u200f" * 150 + "\n", "Am a schrieb " * 14 + "\n", "a\n",
        "Regards\n",
    ],
)  # fmt: skip
def test_hostile_bodies_take_no_time(unit: str) -> None:
    # Seconds or minutes with the library alone; the suite's own timeout is the assertion that matters.
    assert len(new_text(unit * (60_000 // len(unit)))) <= 60_000


@pytest.mark.parametrize(
    ("given", "sender"), [("(" * 3_000, "b@customer.test"), ("a" * 19_000, "b@customer.test"), ("@" * 19_000 + "a", "")]
)
def test_hostile_headers_are_read(given: str, sender: str) -> None:
    head = f"From: {given}\r\nSender: b@customer.test\r\nMessage-ID: <m1@customer.test>\r\n" + f"To: {given}\r\n" * 20
    event = read(f"{head}\r\nHello".encode())
    assert event.id == "m1@customer.test"
    if sender:
        assert event.sender is not None
        assert event.sender.address == sender
