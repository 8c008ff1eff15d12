"""The life of a source after its first reading: replaced, changed, cancelled, removed, read again."""

import asyncio
from typing import Any

from structlog.testing import capture_logs

from tests.integration.ingestion.conftest import Client, working
from tests.unit.knowledge import files


def manual(chapters: int, word: str = "valve") -> str:
    """A long Markdown text: about one passage a chapter."""
    body = f"The {word} of this chapter is opened slowly and closed with care by one trained person. " * 12
    return "\n\n".join(f"## Chapter {n}\n\nChapter number {n}. {body}" for n in range(chapters))


async def test_the_same_external_id_replaces(knowledge: Client) -> None:
    first = await knowledge.give(title="Hours", content="We open at nine.", external_id="hours")
    await knowledge.ended(first["job_id"])
    same = await knowledge.give(title="Hours", content="We open at nine.", external_id="hours", tags=["new"])
    assert same["source_id"] == first["source_id"]
    job = await knowledge.job(same["job_id"])
    assert (job["status"], job["reason_code"], job["progress"]) == ("completed", "unchanged", 1)
    second = await knowledge.give(title="Hours", content="We open at ten.", external_id="hours")
    assert second["source_id"] == first["source_id"]
    await knowledge.ended(second["job_id"])
    assert await knowledge.passages(first["source_id"]) == ["We open at ten."]
    assert await knowledge.stored(first["source_id"]) == 1
    source = await knowledge.source(first["source_id"])
    assert (source["version"], source["live_version"], source["tags"]) == (2, 2, [])


async def test_the_old_version_answers_until_the_new_one_is_whole(idle: Client) -> None:
    async with working(idle.runtime):
        first = await idle.give(title="Hours", content="We open at nine.", external_id="hours")
        await idle.ended(first["job_id"])
    bad = await idle.upload("hours.pdf", b"%PDF-1.7 not really", external_id="hours")
    assert bad["asset"]["status"] == "pending"
    assert await idle.passages(first["source_id"]) == ["We open at nine."]
    async with working(idle.runtime):
        assert (await idle.ended(bad["job"]["id"]))["status"] == "failed"
    assert await idle.passages(first["source_id"]) == ["We open at nine."]
    assert (await idle.source(first["source_id"]))["status"] == "failed"


async def test_uploading_the_same_file_again_adds_nothing(knowledge: Client) -> None:
    body = files.make_docx("Returns are free of charge.")
    first = await knowledge.upload("returns.docx", body)
    await knowledge.ended(first["job"]["id"])
    again = await knowledge.upload("returns.docx", body)
    assert again["asset"]["id"] == first["asset"]["id"]
    assert again["job"]["status"] == "completed"
    taken = await asyncio.gather(*(knowledge.upload("twin.txt", b"Said at the same time.") for _ in range(5)))
    assert len({answer["asset"]["id"] for answer in taken}) == 1


async def test_the_end_of_each_job_is_a_line_in_the_log(idle: Client) -> None:
    """Whose it was, how it ended, how long it took: what whoever looks for one tenant's upload looks for."""
    with capture_logs() as logs:
        waiting = await idle.give(title="Waits", content="Nobody reads this.")
        await idle.call("DELETE", f"/admin/ingestion_jobs/{waiting['job_id']}")
        async with working(idle.runtime):
            good = await idle.give(title="Hours", content="We open at nine.", external_id="hours")
            bad = await idle.upload("hours.pdf", b"%PDF-1.7 not really")
            for job in (good["job_id"], bad["job"]["id"]):
                await idle.ended(job)
        same = await idle.give(title="Hours", content="We open at nine.", external_id="hours")
        first = await idle.give(title="Hours", content="We open at ten.", external_id="hours")
        await idle.give(title="Hours", content="We open at eleven.", external_id="hours")
    told = [line for line in logs if line["event"] == "ingestion job ended"]
    assert {(line["job"], line["source_id"], line["outcome"], line["code"]) for line in told} == {
        (waiting["job_id"], waiting["source_id"], "cancelled", "cancelled"),
        (good["job_id"], good["source_id"], "ready", None),
        (bad["job"]["id"], bad["asset"]["id"], "failed", (await idle.job(bad["job"]["id"]))["reason_code"]),
        (same["job_id"], same["source_id"], "ready", "unchanged"),
        (first["job_id"], first["source_id"], "cancelled", "superseded"),
    }
    assert len(told) == 5
    assert {(line["tenant_id"], line["log_level"]) for line in told} == {(str(idle.tenant.id), "info")}
    assert all(isinstance(line["milliseconds"], int) and line["milliseconds"] >= 0 for line in told)


async def test_removing_a_source_silences_it_at_once(knowledge: Client) -> None:
    taken = await knowledge.give(title="Manual", content=manual(40))
    await knowledge.ended(taken["job_id"])
    assert await knowledge.stored(taken["source_id"]) >= 40
    await knowledge.call("DELETE", f"/v1/brands/default/knowledge/{taken['source_id']}", 204)
    assert await knowledge.stored(taken["source_id"]) == 0
    words = "SELECT coalesce(sum(passages), 0) FROM term_statistics WHERE tenant_id = :t"
    assert await knowledge.scalar(words, t=knowledge.tenant.id) == 0
    await knowledge.call("GET", f"/admin/knowledge_assets/{taken['source_id']}", 404)
    await knowledge.call("GET", f"/admin/ingestion_jobs/{taken['job_id']}", 404)
    await _no_files_left(knowledge)


async def _no_files_left(client: Client) -> None:
    folder = client.runtime.settings.folder("uploads") / str(client.tenant.id)
    for _ in range(600):
        left = [path for path in folder.rglob("*") if path.is_file()]
        if not left:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(left)


async def test_a_new_title_is_read_anew_and_tags_hold_at_once(knowledge: Client) -> None:
    taken = await knowledge.give(title="Hours", content="We open at nine.")
    await knowledge.ended(taken["job_id"])
    path = f"/admin/knowledge_assets/{taken['source_id']}"
    changed = await knowledge.call("PATCH", path, json={"tags": ["x"], "visibility": "internal"})
    assert (changed["tags"], changed["visibility"], changed["version"]) == (["x"], "internal", 1)
    changed = await knowledge.call("PATCH", path, json={"title": "Opening hours"})
    assert (changed["title"], changed["version"], changed["live_version"]) == ("Opening hours", 2, 1)
    newest = (await knowledge.call("GET", "/admin/ingestion_jobs"))["items"][0]
    await knowledge.ended(newest["id"])
    assert (await knowledge.source(taken["source_id"]))["live_version"] == 2
    await knowledge.call("PATCH", path, 422, json={"tenant_id": "x"})


async def test_cancelling_a_job_that_waits_and_giving_it_back(idle: Client) -> None:
    taken = await idle.give(title="Hours", content="We open at nine.")
    path = f"/admin/ingestion_jobs/{taken['job_id']}"
    assert (await idle.call("DELETE", path))["status"] == "cancelled"
    source = await idle.source(taken["source_id"])
    assert (source["status"], source["reason_code"]) == ("failed", "cancelled")
    assert (await idle.call("POST", f"{path}/requeue"))["status"] == "pending"
    async with working(idle.runtime):
        assert (await idle.ended(taken["job_id"]))["status"] == "completed"
    await idle.call("DELETE", path, 409)
    await idle.call("POST", f"{path}/requeue", 409)


async def test_cancelling_a_job_that_writes(knowledge: Client) -> None:
    taken = await knowledge.give(title="Manual", content=manual(2000))
    running = await knowledge.until(taken["job_id"], lambda job: job["done"] > 0)
    assert 0 < running["progress"] < 1
    cancelled = await knowledge.call("DELETE", f"/admin/ingestion_jobs/{taken['job_id']}")
    assert cancelled["status"] == "cancelled"
    await asyncio.sleep(1)
    assert await knowledge.stored(taken["source_id"]) == 0
    assert (await knowledge.job(taken["job_id"]))["status"] == "cancelled"
    await _works_still(knowledge)


async def test_cancelling_a_job_that_parses_ends_its_parser(knowledge: Client) -> None:
    rows = "".join(f"<tr><td>{n}</td><td>cell {n}</td></tr>" for n in range(250_000))
    taken = await knowledge.upload("huge.html", f"<html><body><table>{rows}</table></body></html>".encode())
    await knowledge.until(taken["job"]["id"], lambda job: job["status"] == "running")
    await knowledge.call("DELETE", f"/admin/ingestion_jobs/{taken['job']['id']}")
    await _works_still(knowledge)
    assert await knowledge.stored(taken["asset"]["id"]) == 0


async def _works_still(client: Client) -> Any:
    taken = await client.give(title="Next", content="The next one is read.")
    assert (await client.ended(taken["job_id"], 60))["status"] == "completed"


async def test_a_newer_version_takes_the_place_of_one_that_is_read(knowledge: Client) -> None:
    old = await knowledge.give(title="Manual", content=manual(1000), external_id="m")
    await knowledge.until(old["job_id"], lambda job: job["done"] > 0)
    new = await knowledge.give(title="Manual", content="It is short now.", external_id="m")
    assert (await knowledge.ended(new["job_id"]))["status"] == "completed"
    replaced = await knowledge.job(old["job_id"])
    assert (replaced["status"], replaced["reason_code"]) == ("cancelled", "superseded")
    assert await knowledge.passages(new["source_id"]) == ["It is short now."]
    assert await knowledge.stored(new["source_id"]) == 1
    await knowledge.call("POST", f"/admin/ingestion_jobs/{old['job_id']}/requeue", 409)
