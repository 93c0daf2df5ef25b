//! What counts is what CPython counts, asked in the same run.

use std::fs;
use std::process::Command;

use dalsegno_hermes::{Count, Unreadable, count};

use crate::texts;

/// Counts each file named by a number in the folder that it is given. It is called from the outermost level, as
/// the limit of nesting is stated for.
const SCRIPT: &str = r#"
import json, pathlib, sys

def messages(path):
    try:
        session = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return -1
    found = session.get("messages") if isinstance(session, dict) else None
    return len(found) if isinstance(found, list) else -1

folder, files = pathlib.Path(sys.argv[1]), int(sys.argv[2])
print(sys.version.split()[0])
for number in range(files):
    print(messages(folder / str(number)))
"#;

#[test]
fn thousands_of_files_count_as_for_python() {
    let texts = texts::all(4);
    let folder = tempfile::tempdir().unwrap();
    for (number, text) in texts.iter().enumerate() {
        fs::write(folder.path().join(number.to_string()), text).unwrap();
    }
    let Ok(ran) = Command::new("python3")
        .args(["-I", "-c", SCRIPT])
        .arg(folder.path())
        .arg(texts.len().to_string())
        .output()
    else {
        eprintln!("skipped: there is no python3 here");
        return;
    };
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let answer = String::from_utf8(ran.stdout).unwrap();
    let mut lines = answer.lines();
    let version = lines.next().unwrap();
    // Later versions count levels otherwise; what they say of deep files is not what is promised.
    let frames = version.starts_with("3.11.");
    let (mut good, mut compared) = (0, 0);
    for (number, (text, line)) in texts.iter().zip(lines.by_ref()).enumerate() {
        let ours = count(&folder.path().join(number.to_string()));
        let theirs: i64 = line.parse().unwrap();
        if !frames && ours == Count::Unreadable(Unreadable::TooDeep) {
            continue;
        }
        let shown: String = String::from_utf8_lossy(text).chars().take(300).collect();
        assert_eq!(ours.to_i64(), theirs, "Python {version}: {shown:?}");
        good += usize::from(theirs >= 0);
        compared += 1;
    }
    assert_eq!(lines.next(), None);
    println!("Python {version}: {compared} files, of which {good} are sessions");
    assert!(
        good > 1000 && compared - good > 1000,
        "{good} of {compared}"
    );
}

#[test]
fn nesting_of_a_hundred_thousand_levels_is_too_deep_and_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.json");
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for levels in [995, 100_000] {
            let (open, close) = (open.repeat(levels), close.repeat(levels));
            fs::write(&path, format!("{{\"messages\":[],\"a\":{open}1{close}}}")).unwrap();
            assert_eq!(count(&path), Count::Unreadable(Unreadable::TooDeep));
        }
    }
}

#[test]
fn says_why_it_is_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.json");
    for (text, why) in [
        (&b""[..], Unreadable::Malformed),
        (b"\0\0\0", Unreadable::Malformed),
        (b"{\"messages\":[1,2", Unreadable::Malformed),
        (b"{\"messages\":[\"\xff\"]}", Unreadable::Malformed),
        (b"\xef\xbb\xbf{\"messages\":[]}", Unreadable::Malformed),
        (b"[]", Unreadable::NoMessages),
        (b"7", Unreadable::NoMessages),
        (b"{}", Unreadable::NoMessages),
        (b"{\"messages\":null}", Unreadable::NoMessages),
    ] {
        fs::write(&path, text).unwrap();
        assert_eq!(count(&path), Count::Unreadable(why), "{text:?}");
    }
    assert_eq!(
        count(folder.path()),
        Count::Unreadable(Unreadable::NotAFile)
    );
    assert_eq!(
        count(&path.join("below")),
        Count::Unreadable(Unreadable::Missing)
    );
    assert_eq!(
        count("/dev/zero".as_ref()),
        Count::Unreadable(Unreadable::NotAFile)
    );
}
