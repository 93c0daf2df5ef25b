#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use serde_json::json;

/// Written by Sonora 1.2.8 itself.
const WRITTEN: &str = include_str!("../../tests/fixtures/sonora_1_2_8.json");

fn kind(text: &str) -> ErrorKind {
    SnapshotFile::read(text.as_bytes()).unwrap_err().kind()
}

#[test]
fn a_file_of_sonora_is_read_and_written_again_as_it_was() {
    let file = SnapshotFile::read(WRITTEN.as_bytes()).unwrap();
    assert!(file.is_checked());
    assert_eq!(file.guild_id, 123_456_789_012_345_678);
    assert_eq!(file.version, "1.2.8");
    assert_eq!(file.data["queue"]["current"]["title"], "Für Elise 🎵");
    assert_eq!(file.write().unwrap(), WRITTEN.trim_end());
}

#[test]
fn any_changed_character_of_the_content_is_noticed() {
    let end = WRITTEN.find("\"checksum\"").unwrap();
    let mut noticed = 0;
    for (place, _) in
        WRITTEN[..end].match_indices(|character: char| character.is_ascii_alphanumeric())
    {
        let mut text = WRITTEN.as_bytes().to_vec();
        text[place] = if text[place] == b'1' { b'2' } else { b'1' };
        let read = SnapshotFile::read(&text);
        assert!(read.is_err(), "{}", String::from_utf8_lossy(&text));
        noticed += usize::from(read.unwrap_err().kind() == ErrorKind::Damaged);
    }
    assert!(noticed > 300, "{noticed}");
}

#[test]
fn what_a_file_says_about_itself_is_kept_and_proved() {
    let mut file = SnapshotFile::new(7, 1.5);
    file.other
        .insert("metadata".to_owned(), json!({"tags": ["ä", 1e100]}));
    file.other
        .insert("checksum".to_owned(), json!("not this one"));
    let text = file.write().unwrap();
    let again = SnapshotFile::read(text.as_bytes()).unwrap();
    assert_eq!(
        again.other,
        *json!({"metadata": {"tags": ["ä", 1e100]}})
            .as_object()
            .unwrap()
    );
    assert_eq!(kind(&text.replace("tags", "bags")), ErrorKind::Damaged);
}

#[test]
fn files_without_a_checksum_or_a_version_are_read() {
    for text in [
        r#"{"guild_id": 5, "timestamp": 1732200000, "data": {}}"#,
        r#"{"guild_id": "5", "timestamp": 1732200000.0, "version": "1.2.0", "data": {}, "checksum": null}"#,
    ] {
        let file = SnapshotFile::read(text.as_bytes()).unwrap();
        assert!(!file.is_checked());
        assert_eq!((file.guild_id, file.version.as_str()), (5, "1.2.0"));
    }
}

#[test]
fn what_is_no_such_file_says_why() {
    for (text, says) in [
        ("", "a value was expected at byte 0"),
        ("[]", "it is no object"),
        (&WRITTEN[..200], "at byte"),
        (r#"{"timestamp": 1, "data": {}}"#, "guild_id is missing"),
        (
            r#"{"guild_id": -1, "timestamp": 1, "data": {}}"#,
            "guild_id is -1",
        ),
        (r#"{"guild_id": 1, "data": {}}"#, "timestamp is missing"),
        (
            r#"{"guild_id": 1, "timestamp": "now", "data": {}}"#,
            "timestamp is",
        ),
        (
            r#"{"guild_id": 1, "timestamp": 1, "data": []}"#,
            "data is no object",
        ),
        (
            r#"{"guild_id": 1, "timestamp": 1, "data": {}, "version": "2.0"}"#,
            "newer than the 1.2.8",
        ),
        (
            r#"{"guild_id": 1, "timestamp": 1, "data": {}, "checksum": 7}"#,
            "checksum is 7",
        ),
    ] {
        let error = SnapshotFile::read(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let large = " ".repeat(MAX_FILE_SIZE + 1);
    assert_eq!(kind(&large), ErrorKind::InvalidInput);
    SnapshotFile::read(b"\xff").unwrap_err();
    let marked: [(&[u8], &str); 2] = [
        (
            b"\xef\xbb\xbf{}",
            "begins with a byte order mark; save it again as UTF-8 without",
        ),
        (b"\xff\xfe{\0}\0", "it is UTF-16; save it again as UTF-8"),
    ];
    for (text, says) in marked {
        let error = SnapshotFile::read(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn it_is_nested_as_deep_as_sonora_reads_and_no_deeper() {
    // Around the lists: the whole, `data`; and a number within.
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let text = |levels| {
        format!(
            r#"{{"guild_id": 1, "timestamp": 1, "data": {{"a": {}}}}}"#,
            nested(levels)
        )
    };
    let file = SnapshotFile::read(text(98).as_bytes()).unwrap();
    SnapshotFile::read(file.write().unwrap().as_bytes()).unwrap();
    assert_eq!(kind(&text(99)), ErrorKind::InvalidInput);

    let mut file = SnapshotFile::new(1, 1.0);
    file.data
        .insert("a".to_owned(), serde_json::from_str(&nested(99)).unwrap());
    assert_eq!(file.write().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn files_are_for_their_owner_only_and_alone_in_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/deep/it.json");
    let mut file = SnapshotFile::new(1, 1.0);
    for volume in [10, 20] {
        file.data
            .insert("player".to_owned(), json!({"volume": volume}));
        file.save(&path).unwrap();
    }
    assert_eq!(
        SnapshotFile::load(&path).unwrap().data["player"]["volume"],
        20
    );
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&folder.path().join("new")), 0o700);
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1
    );
}

#[test]
fn what_cannot_be_loaded_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it.json");
    let error = SnapshotFile::load(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        SnapshotFile::load(folder.path()).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    std::fs::write(&path, WRITTEN.replace("Elise", "Alice")).unwrap();
    let error = SnapshotFile::load(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(
        error
            .to_string()
            .contains("it.json: the snapshot is damaged"),
        "{error}"
    );
}

#[test]
fn a_second_one_in_the_same_second_has_another_name() {
    assert_eq!(default_name(7, 1_732_200_000, 1), "guild_7_1732200000.json");
    assert_eq!(
        default_name(7, 1_732_200_000, 2),
        "guild_7_1732200000_2.json"
    );
}
