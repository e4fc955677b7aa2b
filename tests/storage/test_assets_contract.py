"""What every store promises of assets; see `nadi/storage/contracts/assets.py`."""

from __future__ import annotations

from msgspec.structs import replace

from nadi.model.assets import AssetProperties, AssetRef, Lineage
from nadi.storage.contract import Store
from tests.storage.telling import T0, S, Writer, an_id, asset_described, asset_made, flow_begun, flow_moved

ROOT = an_id(1)
RAW, CLEAN, MODEL, REPORT = "s3://lake/raw", "s3://lake/clean", "s3://models/churn", "file:///report.html"


def test_a_materialisation_is_read_back_as_it_was_told(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), asset_made(ROOT, an_id(20), CLEAN, RAW, tool="spark"))

    (made,) = store.assets.materializations(CLEAN)

    assert (made.id, made.key, made.at, made.succeeded, made.tool) == (an_id(20), CLEAN, T0 + 7, True, "spark")
    assert (made.root, made.run, made.task) == (ROOT, ROOT, an_id(10))
    assert made.upstream == (RAW,)
    assert made.metadata == b"{}"


def test_an_asset_is_known_once_another_was_made_from_it(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), asset_made(ROOT, an_id(20), CLEAN, RAW))

    raw, clean = store.assets.asset(RAW), store.assets.asset(CLEAN)

    assert raw is not None
    assert clean is not None
    assert (raw.materialized, clean.materialized) == (0.0, T0 + 7)
    assert store.assets.asset("s3://never/heard/of") is None


def test_assets_are_listed_newest_word_first_and_page_by_page(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), *(asset_made(ROOT, an_id(20 + n), f"s3://lake/{n}") for n in range(3)))
    writer.tell(asset_made(ROOT, an_id(30), "s3://lake/0"))

    first = store.assets.assets(limit=2)
    second = store.assets.assets(limit=2, before=first[-1].seq)

    assert [asset.key for asset in first] == ["s3://lake/0", "s3://lake/2"]
    assert [asset.key for asset in second] == ["s3://lake/1"]
    assert [asset.key for asset in store.assets.assets(prefix="s3://lake/1", limit=9)] == ["s3://lake/1"]


def test_materialisations_are_listed_newest_first_and_page_by_page(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), *(asset_made(ROOT, an_id(20 + n), CLEAN, at=T0 + n) for n in range(3)))

    first = store.assets.materializations(CLEAN, limit=2)
    second = store.assets.materializations(CLEAN, limit=2, before=first[-1].seq)

    assert [made.at for made in (*first, *second)] == [T0 + 2, T0 + 1, T0]


def test_a_failed_materialisation_is_told_and_leaves_the_last_success(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        asset_made(ROOT, an_id(20), CLEAN, RAW),
        asset_made(ROOT, an_id(21), CLEAN, MODEL, at=T0 + 9, succeeded=False, message="disk full"),
    )

    asset = store.assets.asset(CLEAN)
    newest, _ = store.assets.materializations(CLEAN)

    assert asset is not None
    assert (asset.materialized, asset.failed) == (T0 + 7, T0 + 9)
    assert (newest.succeeded, newest.message) == (False, "disk full")
    assert store.assets.lineage(CLEAN, up=True) == [Lineage(RAW, CLEAN)]


def test_metadata_told_piece_by_piece_is_one_object(store: Store) -> None:
    other = an_id(11)

    Writer(store).tell(
        flow_begun(ROOT),
        asset_described(ROOT, CLEAN, b'{"rows":1,"owner":"ada"}'),
        asset_described(ROOT, CLEAN, b'{"rows":2}'),
        asset_described(ROOT, CLEAN, b'{"rows":99}', task=other),
        asset_made(ROOT, an_id(20), CLEAN),
    )

    (made,) = store.assets.materializations(CLEAN)
    assert made.metadata == b'{"rows":2,"owner":"ada"}'


def test_properties_that_are_not_given_again_stay(store: Store) -> None:
    writer = Writer(store)
    told = AssetProperties(name="Clean rows", owners=["ada"])
    writer.tell(flow_begun(ROOT), asset_made(ROOT, an_id(20), CLEAN, properties=told))
    writer.tell(asset_made(ROOT, an_id(21), CLEAN, properties=AssetProperties(description="Without doubles")))

    asset = store.assets.asset(CLEAN)

    assert asset is not None
    assert asset.properties == AssetProperties(name="Clean rows", owners=["ada"], description="Without doubles")


def test_properties_of_an_asset_that_is_only_read_are_kept(store: Store) -> None:
    made = asset_made(ROOT, an_id(20), CLEAN)
    read = (AssetRef(RAW, AssetProperties(name="Raw rows")),)

    Writer(store).tell(flow_begun(ROOT), replace(made, upstream=read))

    asset = store.assets.asset(RAW)
    assert asset is not None
    assert asset.properties.name == "Raw rows"


def test_lineage_walks_up_and_down_over_all_steps(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        asset_made(ROOT, an_id(20), CLEAN, RAW),
        asset_made(ROOT, an_id(21), MODEL, CLEAN),
        asset_made(ROOT, an_id(22), REPORT, MODEL, CLEAN),
    )

    up, down = store.assets.lineage(MODEL, up=True), store.assets.lineage(CLEAN, up=False)

    assert up == [Lineage(RAW, CLEAN), Lineage(CLEAN, MODEL)]
    assert down == [Lineage(CLEAN, REPORT), Lineage(MODEL, REPORT), Lineage(CLEAN, MODEL)]
    assert store.assets.lineage(RAW, up=True) == []


def test_lineage_is_that_of_the_last_success(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        asset_made(ROOT, an_id(20), MODEL, RAW),
        asset_made(ROOT, an_id(21), MODEL, CLEAN),
    )

    assert store.assets.lineage(MODEL, up=True) == [Lineage(CLEAN, MODEL)]
    assert store.assets.lineage(RAW, up=False) == []


def test_lineage_in_a_circle_ends(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT), asset_made(ROOT, an_id(20), MODEL, CLEAN), asset_made(ROOT, an_id(21), CLEAN, MODEL)
    )

    assert store.assets.lineage(MODEL, up=True) == [Lineage(MODEL, CLEAN), Lineage(CLEAN, MODEL)]


def test_materialisations_outlive_their_run(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), asset_made(ROOT, an_id(20), CLEAN), flow_moved(ROOT, S.COMPLETED))

    store.delete_run(ROOT, now=T0 + 100)

    assert [made.root for made in store.assets.materializations(CLEAN)] == [ROOT]
