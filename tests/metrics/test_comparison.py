"""`compare`: tables of records, and what cannot be ranked."""

import copy
import json

import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo.metrics import records


def record(fd=2.0, recall=0.5, **protocol):
    scores = {
        "fd_classifier_360": fd,
        "fd_classifier_360_floor": 1.0,
        "recall_classifier_360": recall,
        "ms_ssim_360": 0.3,
        "class_histogram": [0.5, 0.5],
        "modes_present_classifier_360": 10,
    }
    extractor = {"name": "digits", "hash": "0f", "features": 32}
    decided = {"reference": "digits", "split": "test", "num_real": 360, "num_generated": 360, "extractor": extractor}
    decided |= {"resize": "none", "seed": 0, "labels": "none", "image_shape": [8, 8, 1]}
    return {"scores": scores, "protocol": decided | {"settings": {"kid": {"subset_size": 10}}} | protocol}


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_the_best_of_each_column_is_bold_by_its_direction():
    head, _, first, second = cells(tz.compare({"a": record(fd=2.0, recall=0.25), "b": record(fd=3.0, recall=0.5)}))
    assert head == [
        "",
        "fd_classifier_360 ↓",
        "recall_classifier_360 ↑",
        "ms_ssim_360",
        "modes_present_classifier_360 ↑",
    ]
    assert first == ["a", "**2**", "0.25", "0.3", "**10**"]  # a tie has two bests, and MS-SSIM has none
    assert second == ["b", "3", "**0.5**", "0.3", "**10**"]


@pytest.mark.parametrize(
    ("score", "way"),
    [
        ("fd_classifier_10000", min),
        ("fd_points", min),
        ("fid_inception2015_50000_clean", min),
        ("kid_classifier_360", min),
        ("kid", min),
        ("precision_classifier_360", max),
        ("recall_a_9", max),
        ("inception_score_inception2015_50000", max),
        ("classifier_score_360", max),
        ("nats_10000", max),
        ("bits_per_dim_10000", min),
        ("reconstruction_mse_360", min),
        ("reconstruction_psnr_360", max),
        ("reconstruction_ssim_360", max),
        ("ms_ssim_360", None),
        ("class_histogram", None),
    ],
)
def test_a_score_says_which_way_is_better(score, way):
    assert tz.metrics.best(score) is way


@pytest.mark.parametrize("score", ["fdd_360", "generator_loss", "fdclassifier", ""])
def test_what_is_no_score_has_no_best(score):
    with pytest.raises(ValueError, match=f"Unknown score '{score}'"):
        tz.metrics.best(score)


def test_scores_that_no_metric_of_ours_gave_stand_in_the_table_without_a_best():
    given = [record(), record()]
    for one, value in zip(given, (0.25, 0.75), strict=True):
        one["scores"] = {"sum_is_four": value, "recall_classifier_360": value}
    head, _, first, second = cells(tz.compare(given))
    assert head[1:] == ["sum_is_four", "recall_classifier_360 ↑"]
    assert (first[1:], second[1:]) == (["0.25", "0.25"], ["0.75", "**0.75**"])


def test_seeds_may_differ_and_missing_scores_are_dashes():
    other = record(seed=1, labels="drawn like the reference's", settings={})
    del other["scores"]["recall_classifier_360"]
    (_, *values) = cells(tz.compare([record(), other]))[3]
    assert cells(tz.compare([record(), other]))[2][0] == "record 1"
    assert values[1] == "–"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"num_generated": 100}, r"they differ in num_generated \(360 and 100\)"),
        ({"split": "train"}, r"split \(test and train\)"),
        (
            {"extractor": {"name": "digits", "hash": "1f", "features": 32}},
            r"\(digits 0f 32 and digits 1f 32\)",
        ),
        ({"resize": "gray to RGB"}, r"resize \(none and gray to RGB\)"),
        ({"settings": {"kid": {"subset_size": 11}}}, "differ in settings"),
        ({"reference": "mnist", "num_real": 10}, r"reference \(digits and mnist\), num_real"),
    ],
)
def test_unlike_records_are_not_ranked(change, sentence):
    with pytest.raises(ValueError, match=f"^a and c cannot be ranked.*{sentence}"):
        tz.compare({"a": record(), "b": record(), "c": record(**change)})


def test_files_and_exports_are_read(tmp_path):
    records.save(record(fd=1.0), tmp_path / "ours.json")
    (tmp_path / "dcgan").mkdir()
    (tmp_path / "dcgan/card.json").write_text(json.dumps({"name": "dcgan"} | record(fd=4.0)))
    rows = cells(tz.compare([tmp_path / "ours.json", str(tmp_path / "dcgan"), record()]))[2:]
    assert [row[:2] for row in rows] == [["ours", "**1**"], ["dcgan", "4"], ["record 3", "2"]]
    assert [row[0] for row in cells(tz.compare([tmp_path / "dcgan", tmp_path / "dcgan"]))[2:]] == ["dcgan", "dcgan (2)"]


def test_the_table_is_saved(tmp_path):
    given = {"a": record(), "b | c": record(fd=1.0)}
    table = tz.compare(given, to=tmp_path / "table.md")
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == table + "\n"
    assert "b \\| c" in table
    assert tz.compare(given, to=tmp_path / "table.png") == table
    with Image.open(tmp_path / "table.png") as picture:
        colours = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert picture.width > 400
    assert (colours == (0xD5, 0xE8, 0xD4)).all(1).any()  # a best one is marked
    assert (colours == 255).all(1).mean() > 0.5


def test_what_is_no_record_is_refused(tmp_path):
    without = copy.deepcopy(record())
    del without["protocol"]
    for given, error, sentence in (
        ([], ValueError, "records is empty"),
        (record(), ValueError, "must be a list, or a dict of name"),
        ([without], ValueError, 'A record has no "scores" with a "protocol"'),
        ([tmp_path / "none.json"], FileNotFoundError, "There is no .*none.json"),
        ([tmp_path], FileNotFoundError, r"There is no .*card\.json"),
    ):
        with pytest.raises(error, match=sentence):
            tz.compare(given)
    with pytest.raises(ValueError, match=r"must end in \.png or \.md"):
        tz.compare([record()], to=tmp_path / "table.pdf")
