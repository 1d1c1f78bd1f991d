"""What the name of a downloaded file or folder says: whose it is, of which attempt, and whether it was late.

Canvas      doejane_LATE_1234_56789_submission-1.zip             -> doejane_1234, late; a group: team_red_LATE_1234_56789_x.zip
            LATE_anon_k3x9z_56789_submission.zip (anonymous)     -> anon_k3x9z, late
Moodle      Jane Doe_4711_assignsubmission_file_/submission.zip  -> Jane Doe_4711 (or in one name; _onlinetext_ is a text, no file)
Blackboard  Assignment 2_s123456_attempt_2026-11-20-12-00-00_x.zip           -> s123456, with the time
D2L         397063-2557369 - Mary-Ann Smith - Sep 24, 2026 926 PM/x.zip      -> Mary-Ann Smith_397063, with the time
ILIAS       Doe_Jane_jdoe_4711/20261120120000_submission.zip     -> Doe_Jane_jdoe_4711, with the time
otherwise   jane_doe.zip, jane_doe (1).zip                       -> jane_doe

Times of files are never used: unpacking changes them. A platform's times sort as text.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

ARCHIVES = {".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zipx"}
ANONYMOUS = re.compile(r"(?s)(?P<late>LATE_)?(?P<student>anon_(?P<number>[A-Za-z0-9]+))_(?P<when>\d+)_(?P<rest>.+)")
CANVAS = re.compile(r"(?s)(?P<student>.+?)(?P<late>_LATE)?_(?P<number>\d+)_(?P<when>\d+)_(?P<rest>.+)")
CANVAS_TEXT = re.compile(r"(?s)(?P<student>.+?)(?P<late>_LATE)?_(?P<number>\d+)_(text|link)\.html")
MOODLE = re.compile(r"(?s)(?P<student>.+?)_assignsubmission_(?P<kind>file|onlinetext)(_(?P<rest>.*)|\.(zip|html?))?")
BLACKBOARD = re.compile(
    r"(?s).*?_(?P<student>[^_]+)_attempt_(?P<when>\d{4}-\d\d-\d\d(-\d\d-\d\d-\d\d)?)(_(?P<rest>.*)|\.txt)?"
)
D2L = re.compile(
    r"(?s)(?P<number>\d+)-\d+ - (?P<student>.+?) - (?P<when>[^\W\d]+ \d{1,2}, \d{4} \d{3,4} [AP]M)( - (?P<rest>.*))?"
)
STAMPED = re.compile(r"(?s)(?P<when>\d{14})_(?P<rest>.+)")  # ILIAS, in a student's folder
COPY = re.compile(r" ?\(\d{1,3}\)$")  # as a browser names a file that it has already
AGAIN = re.compile(r"-\d{1,3}(?=(\.\w+)?$)")  # as Canvas names a file that was handed in again


@dataclass(frozen=True)
class Named:
    """A name, read."""

    student: str
    platform: str = ""
    late: bool = False
    number: str = ""  # by which the platform itself knows the student
    when: str = ""  # the attempt, as text that sorts: a time, or the growing number of an upload
    rest: str = ""  # the name that the student gave
    text: bool = False  # typed into the platform, no file


def read_name(name: str) -> Named:
    """Read the name of a file, with its suffix, or of a folder."""
    if match := MOODLE.fullmatch(name):
        number = match["student"].rpartition("_")[2]
        return Named(
            match["student"], "Moodle", number=number if number.isdecimal() else "", rest=match["rest"] or "",
            text=match["kind"] == "onlinetext",
        )  # fmt: skip
    if match := BLACKBOARD.fullmatch(name):
        receipt = name.endswith(".txt") and not match["rest"]
        return Named(match["student"], "Blackboard", when=match["when"], rest=match["rest"] or "", text=receipt)
    if match := D2L.fullmatch(name):
        student = f"{match['student']}_{match['number']}"
        return Named(student, "D2L", number=match["number"], when=_time(match["when"]), rest=match["rest"] or "")
    if match := ANONYMOUS.fullmatch(name):
        return Named(match["student"], "Canvas", bool(match["late"]), "", _padded(match["when"]), _first(match["rest"]))
    if match := CANVAS.fullmatch(name):
        student = f"{match['student']}_{match['number']}"
        late, when = bool(match["late"]), _padded(match["when"])
        return Named(student, "Canvas", late, match["number"], when, _first(match["rest"]))
    if match := CANVAS_TEXT.fullmatch(name):
        return Named(f"{match['student']}_{match['number']}", "Canvas", bool(match["late"]), match["number"], text=True)
    path = PurePath(name)
    plain = path.stem if path.suffix.casefold() in ARCHIVES else name
    return Named(COPY.sub("", plain) or plain)


def _time(text: str) -> str:
    """Return D2L's time as text that sorts, or nothing where its months have other names."""
    day, _, clock = text.rpartition(", ")
    year, hours, half = clock.split()
    for month in ("%b", "%B"):
        with suppress(ValueError):
            read = datetime.strptime(f"{day} {year} {hours.zfill(4)} {half}", f"{month} %d %Y %I%M %p")
            return read.strftime("%Y-%m-%d %H:%M")
    return ""


def _padded(number: str) -> str:
    return f"upload {number.zfill(12)}"


def _first(rest: str) -> str:
    """Return the name of a file as it was when it was handed in first."""
    return AGAIN.sub("", COPY.sub("", rest))
