//! Input that cannot be: a clear message, the right exit code, nothing changed.

use std::fs::{self, File};
use std::io::Read;
use std::process::Stdio;

use crate::common::House;

/// A store with something in it, and what it holds.
fn house() -> (House, String) {
    let house = House::new();
    house.save("s", "{\"kept\":true}");
    let before = house.contents();
    (house, before)
}

#[test]
fn text_that_is_no_document() {
    let (house, before) = house();
    let cases: [(&[u8], &str); 13] = [
        (b"", "the document is empty"),
        (b" \n\t", "the document is empty"),
        (b"hello", "not JSON"),
        (b"{\"a\":1", "not JSON"),
        (b"{\"a\":1} {\"b\":2}", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"NaN", "not JSON"),
        (b"[\"a\nb\"]", "not JSON"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"\"\xff\xfe\"", "not valid UTF-8"),
        (b"\x7fELF\x02\x01\x01\x00\x00\xf0", "not"),
        (b"\x00\x00\x00\x00", "not JSON"),
    ];
    for (text, part) in cases {
        house.write("state", text);
        house
            .run(&["snapshot", "save", "s", "--from", "state"])
            .refused(2, part);
        house
            .feed(&["snapshot", "save", "s"], text)
            .refused(2, part);
        let ran = house.feed(&["snapshot", "save", "s", "--json"], text);
        assert_eq!(
            (ran.code, ran.error().0.as_str()),
            (Some(2), "invalid_input"),
            "{ran}"
        );
        assert!(ran.out.is_empty());
    }
    let deep = "[".repeat(200_000);
    house
        .feed(&["snapshot", "save", "s"], deep.as_bytes())
        .refused(2, "nested deeper than 10000 levels");
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    house
        .feed(&["snapshot", "save", "s"], deep.as_bytes())
        .refused(2, "nested deeper than 10000 levels");
    assert_eq!(house.contents(), before);
}

#[test]
fn a_document_over_the_limit_is_not_read() {
    let (house, before) = house();
    // A hole: it has a size, and no bytes on the disk.
    let huge = File::create(house.path("huge.json")).unwrap();
    huge.set_len(u64::try_from(dalsegno::MAX_SIZE).unwrap() + 1)
        .unwrap();
    let limit = "the limit is 536870912 bytes (512.00 MiB)";
    house
        .run(&["snapshot", "save", "s", "--from", "huge.json"])
        .refused(2, limit);
    house
        .shell("dalsegno snapshot save s < huge.json")
        .refused(2, limit);
    // Not even where there is no memory for it.
    let script = "ulimit -v 400000; dalsegno snapshot save s --from huge.json";
    house.shell(script).refused(2, limit);
    assert_eq!(house.contents(), before);
}

#[test]
fn an_endless_pipe_is_cut_off() {
    let (house, before) = house();
    let mut command = house.command(&["snapshot", "save", "s"]);
    let zeros = File::open("/dev/zero").unwrap().take(600 << 20);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut zeros = std::io::BufReader::with_capacity(1 << 20, zeros);
    let fed = std::io::copy(&mut zeros, &mut stdin);
    drop(stdin);
    let ran = crate::common::Ran::of(child.wait_with_output().unwrap());
    ran.refused(2, "more than the limit of 536870912 bytes");
    assert!(fed.is_err(), "it stopped reading");
    assert_eq!(house.contents(), before);
}

#[test]
fn files_that_are_none() {
    let (house, before) = house();
    house.shell("mkfifo fifo").ok();
    fs::create_dir(house.path("folder")).unwrap();
    let save = |from: &str| house.run(&["snapshot", "save", "s", "--from", from]);
    save("fifo").refused(2, "fifo is a named pipe");
    save("folder").refused(2, "folder is a folder");
    save("/dev/zero").refused(2, "not a regular file");
    save("missing.json").refused(4, "missing.json");
    save("missing/file.json").refused(4, "missing/file.json");
    save(".dalsegno/store.db").refused(2, "belongs to the store itself");
    save("").refused(2, "--from");
    house
        .run(&["import", "fifo"])
        .refused(2, "fifo is a named pipe");
    house
        .shell("dalsegno snapshot save s < folder")
        .refused(2, "");
    assert_eq!(house.contents(), before);
}

#[test]
fn names_that_cannot_be() {
    let (house, before) = house();
    let long = "x".repeat(10_000);
    let sessions = [
        "",
        " ",
        "..",
        "../s",
        "a/../b",
        "a/..",
        "/a",
        "a//b",
        "a/",
        "./a",
        "a/.",
        "a\u{7}b",
        "a\nb",
        "\u{1b}[31m",
        &long,
    ];
    for session in sessions {
        for arguments in [
            &["snapshot", "save"][..],
            &["snapshot", "save", "--dry-run"],
        ] {
            let ran = house
                .feed(&[arguments, &[session]].concat(), b"1")
                .refused(2, "session name");
            assert!(ran.err.len() < 300, "{ran}");
            assert!(
                !ran.err.contains('\u{1b}') && !ran.err.contains('\u{7}'),
                "{ran}"
            );
        }
    }
    for name in ["", " ", "..", "a/../b", "a\\..", "a\tb", "\u{85}", &long] {
        let ran = house.feed(&["snapshot", "save", "s", "--name", name], b"1");
        ran.refused(2, "snapshot name");
    }
    for tag in ["", " ", "a\nb"] {
        house
            .feed(&["snapshot", "save", "s", "--tag", tag], b"1")
            .refused(2, "tag");
    }
    let longer = "y".repeat(70_000);
    for option in ["--label", "--description", "--tag", "--schema-version"] {
        house
            .feed(&["snapshot", "save", "s", option, &longer], b"1")
            .refused(2, "the limit is 65536");
    }
    let pair = format!("k={longer}");
    house
        .feed(&["snapshot", "save", "s", "--meta", &pair], b"1")
        .refused(2, "the limit is 65536");
    assert_eq!(house.contents(), before);
}

#[test]
fn names_that_are_odd_and_fine() {
    let house = House::new();
    let long = "ü".repeat(255);
    for name in ["a b", "日本/語", "a..b", "...", "x@y", "-", "'\"", &long] {
        // A snapshot's name must not read as a reference.
        let named = name.replace('@', " at ");
        house
            .feed(&["snapshot", "save", "--name", &named, "--", name], b"1")
            .ok();
        let shown = house
            .run(&["snapshot", "show", "--", &format!("{name}@latest")])
            .ok();
        assert_eq!(shown.text(), "1");
        house.run(&["snapshot", "list", "--", name]).ok();
    }
}
