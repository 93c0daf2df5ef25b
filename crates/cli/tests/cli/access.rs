//! `access`: who may do what is said, asked for, and taken back.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::json;

use crate::common::{House, Ran};

pub(crate) const ADMIN: [&str; 2] = ["--token-file", "admin"];

/// With a session, an audit log, and an administrator whose token is in `admin`.
pub(crate) fn asking() -> House {
    let house = House::new();
    house.save("bot/1", "[0]");
    house.save("bot/1", "[1]");
    house.save("chat/1", "[2]");
    house.run(&["audit", "on"]).ok();
    let add = ["access", "add", "admin", "all=**", "--to", "admin"];
    house.run(&add).ok().says("its token is in admin");
    house
}

pub(crate) fn token(house: &House, name: &str) -> String {
    let text = String::from_utf8(house.read(name)).unwrap();
    text.strip_suffix('\n').unwrap().to_owned()
}

fn admin(house: &House, arguments: &[&str]) -> Ran {
    house.run(&[arguments, &ADMIN].concat())
}

/// Adds a principal whose token is in the file of its name.
fn add(house: &House, name: &str, rules: &[&str]) {
    admin(
        house,
        &[&["access", "add", name, "--to", name], rules].concat(),
    )
    .ok();
}

/// The rows of the audit log.
fn rows(house: &House) -> u64 {
    let log = admin(house, &["audit", "verify", "--json"]).ok().json();
    log["rows"].as_u64().unwrap()
}

#[test]
fn a_token_is_the_only_line_or_in_a_private_file_and_nowhere_else() {
    let house = House::new();
    house.run(&["audit", "on"]).ok();
    let ran = house.run(&["access", "add", "admin", "all=**"]).ok();
    let text = ran.text();
    assert!(
        text.starts_with("dalsegno-token-") && text.lines().count() == 1,
        "{ran}"
    );
    assert!(
        text.ends_with('\n') && !ran.err.contains("dalsegno-token-"),
        "{ran}"
    );
    ran.explains("admin was added: all=**")
        .explains("shown this once");
    house.write("admin", &text);
    fs::set_permissions(house.path("admin"), fs::Permissions::from_mode(0o600)).unwrap();

    let bot = [
        "access",
        "add",
        "bot",
        "read,restore=bot/*",
        "create=chat/1",
    ];
    let ran = admin(&house, &[&bot[..], &["--to", "bot"]].concat()).ok();
    ran.says("bot was added: read,restore=bot/* create=chat/1; its token is in bot");
    let mode = fs::metadata(house.path("bot"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    let tokens = [text.trim().to_owned(), token(&house, "bot")];
    assert!(tokens[1].starts_with("dalsegno-token-") && tokens[0] != tokens[1]);

    // As JSON it is the answer, unless it is in a file.
    let ran = admin(&house, &["access", "token", "bot", "--json"]).ok();
    let (answer, other) = (ran.json(), ran.json()["token"].as_str().unwrap().to_owned());
    assert_eq!(answer["principal"], "bot");
    assert!(
        answer["token_file"].is_null() && other != tokens[1],
        "{ran}"
    );
    house
        .run(&["snapshot", "list", "--token-file", "bot"])
        .refused(8, "was replaced or removed");
    let ran = admin(&house, &["access", "token", "bot", "--to", "new", "--json"]).ok();
    assert_eq!(
        ran.json(),
        json!({"dry_run": false, "principal": "bot", "token_file": "new"})
    );

    // Nothing that is asked later, and nothing in the store, has any of them.
    let tokens = [&tokens[..], &[other, token(&house, "new")]].concat();
    for verb in [
        &["access", "list"][..],
        &["access", "list", "--json"],
        &["audit", "log"],
        &["audit", "log", "--json"],
        &["events"],
        &["doctor"],
        &["doctor", "--json"],
        &["config", "show"],
        &["config", "show", "--json"],
        &["access", "remove", "nobody"],
    ] {
        let ran = admin(&house, verb);
        assert!(
            !ran.to_string().contains("dalsegno-token-"),
            "{verb:?}: {ran}"
        );
    }
    let store = fs::read(house.store()).unwrap();
    for token in tokens {
        let part = &token.as_bytes()["dalsegno-token-".len()..];
        assert!(!store.windows(part.len()).any(|it| it == part));
    }
}

#[test]
fn what_is_denied_says_what_it_takes_and_changes_nothing() {
    let house = asking();
    add(&house, "bot", &["create=bot/*"]);
    let list = ["snapshot", "list", "--json"];
    let before = admin(&house, &list).ok().text();
    for (verb, said) in [
        ("snapshot delete bot/1@latest", "'delete' on bot/1"),
        ("rollback bot/1", "'restore' on bot/1"),
        ("snapshot show chat/1@latest", "'read' on chat/1"),
        ("doctor", "'read' on **"),
        ("policy set ** --keep-last 1", "'admin' on **"),
        ("access list", "'admin' on **"),
        ("access add x all=** --to x", "'admin' on **"),
        ("access set bot all=**", "'admin' on **"),
        ("access token admin", "'admin' on **"),
        ("access remove admin", "'admin' on **"),
        ("access remove admin --dry-run", "'admin' on **"),
        ("audit log", "'admin' on **"),
        ("audit off", "'admin' on **"),
        ("audit off --dry-run", "'admin' on **"),
        ("audit verify", "'admin' on **"),
        ("audit head", "'admin' on **"),
    ] {
        let verb: Vec<&str> = verb.split(' ').chain(["--token-file", "bot"]).collect();
        let said = format!("bot may not do this: it takes the permission {said}");
        house.run(&verb).failed(8, &said);
        let ran = house.run(&[&verb[..], &["--json"]].concat());
        assert_eq!(
            (ran.code, ran.error().0.as_str()),
            (Some(8), "denied"),
            "{ran}"
        );
    }
    assert_eq!(admin(&house, &list).ok().text(), before);
    assert!(!house.path("x").exists(), "its file goes again");
    let bot = ["--token-file", "bot"];
    let listed = house.run(&[&["snapshot", "list"], &bot[..]].concat()).ok();
    listed.says("bot/1");
    assert!(!listed.text().contains("chat/1"));
    let save = ["snapshot", "save", "bot/2", "--token-file", "bot"];
    house.feed(&save, b"[3]").ok();
    let denied = admin(
        &house,
        &[
            "audit",
            "log",
            "--outcome",
            "denied",
            "--who",
            "bot",
            "--all",
        ],
    )
    .ok();
    denied.says("delete").says("audit_off").says("bot/1");
}

#[test]
fn rules_change_and_principals_go() {
    let house = asking();
    add(&house, "bot", &["create=bot/*"]);
    let listed = admin(&house, &["access", "list"]).ok().text();
    let lines: Vec<_> = listed.lines().collect();
    assert!(
        lines[1].starts_with("admin  all=**  ") && lines[2].starts_with("bot    create=bot/*  "),
        "{listed}"
    );

    admin(&house, &["access", "set", "bot", "all=bot/*", "read=**"])
        .ok()
        .says("bot is allowed all=bot/* read=**, and nothing else");
    let json = admin(&house, &["access", "list", "--json"]).ok().json();
    assert_eq!(
        json["principals"][1]["rules"][1],
        json!({"permissions": ["read"], "pattern": "**"})
    );
    house
        .run(&["snapshot", "delete", "bot/1@latest", "--token-file", "bot"])
        .ok();

    let only = "'admin' is the only one who may say who may do what";
    for verb in [
        &["access", "set", "admin", "read=**"][..],
        &["access", "remove", "admin"],
    ] {
        admin(&house, verb).refused(5, only);
        admin(&house, &[verb, &["--dry-run"]].concat()).refused(5, only);
    }
    for verb in [
        &["access", "set", "x", "all=**"][..],
        &["access", "token", "x"],
        &["access", "remove", "x"],
    ] {
        admin(&house, verb).refused(4, "there is no principal 'x'");
        admin(&house, &[verb, &["--dry-run"]].concat()).refused(4, "there is no principal 'x'");
    }
    let again = ["access", "add", "bot", "all=**"];
    admin(&house, &again).refused(5, "there is a principal 'bot' already");
    admin(&house, &[&again[..], &["--dry-run"]].concat())
        .refused(5, "there is a principal 'bot' already");
    for (rule, said) in [
        ("fly=**", "'fly' is no permission"),
        ("read", "is no rule"),
        ("=a", "permission"),
        ("read=[", "the pattern is wrong"),
    ] {
        admin(&house, &["access", "set", "bot", rule]).refused(2, said);
    }
    admin(&house, &["access", "set", "bot"]).refused(2, "RULE");
    admin(&house, &["access", "add", "a//b", "all=**"]).refused(2, "the name of a principal");
    admin(&house, &["access", "add", "x", "all=**", "--to", "admin"])
        .refused(5, "admin is there already; nothing was changed");
    let inside = ["access", "add", "x", "all=**", "--to", ".dalsegno/store.db"];
    admin(&house, &inside).refused(2, "belongs to the store");

    admin(&house, &["access", "remove", "bot"])
        .ok()
        .says("bot was removed; its token is of no use");
    house
        .run(&["snapshot", "list", "--token-file", "bot"])
        .refused(8, "--token-file bot: no principal");
    admin(&house, &["access", "remove", "admin"])
        .ok()
        .says("everybody may do everything again");
    house.run(&["snapshot", "list"]).ok();
    house
        .run(&["access", "list"])
        .ok()
        .explains("everybody may do everything");
    let first = ["access", "add", "bot", "create=bot/*"];
    house
        .run(&first)
        .refused(2, "the first principal must be allowed admin on **");
    house
        .run(&[&first[..], &["--dry-run"]].concat())
        .refused(2, "the first principal must be");
}

#[test]
fn a_lost_token_is_no_end() {
    let house = asking();
    add(&house, "bot", &["create=bot/*"]);
    house
        .run(&["access", "reset", "--dry-run"])
        .ok()
        .says("all principals would be removed");
    house
        .run(&["snapshot", "list"])
        .refused(8, "asks who you are");
    let ran = house.run(&["access", "reset"]).ok();
    ran.says("removed 2 principals: everybody may do everything")
        .says("it stands in the audit log");
    let log = house.run(&["audit", "log", "--limit", "1"]).ok();
    log.says("access").says("all were removed");
    let ran = house.run(&["access", "reset", "--json"]).ok();
    assert_eq!(ran.json(), json!({"dry_run": false, "removed": 0}));
    house
        .run(&["access", "reset"])
        .ok()
        .says("there are no principals");
}

#[test]
fn a_dry_run_changes_nothing() {
    let house = asking();
    add(&house, "bot", &["create=bot/*"]);
    let before = (rows(&house), house.bytes(), house.names("."));
    for verb in [
        &["access", "add", "x", "read=**", "--to", "x"][..],
        &["access", "set", "bot", "read=**"],
        &["access", "token", "bot", "--to", "x"],
        &["access", "remove", "bot"],
        &["access", "reset"],
        &["audit", "off"],
    ] {
        let dry = [verb, &["--dry-run"]].concat();
        let ran = admin(&house, &dry).ok();
        ran.says("would").says("dry run: nothing was changed");
        let ran = admin(&house, &[&dry[..], &["--json"]].concat()).ok();
        assert_eq!(ran.json()["dry_run"], true);
        assert!(!ran.text().contains("dalsegno-token-"), "{ran}");
    }
    assert_eq!((rows(&house), house.bytes(), house.names(".")), before);
}

#[test]
fn a_token_that_nobody_hears_is_told_to_nobody_else() {
    let house = asking();
    let full = |arguments: &[&str]| {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = house.command(&[arguments, &ADMIN].concat());
        Ran::of(
            command
                .stdout(full)
                .stderr(Stdio::piped())
                .output()
                .unwrap(),
        )
    };
    let said = "it is done, but could not be told: writing the output";
    let ran = full(&["access", "add", "bot", "read=**"]);
    assert_eq!(ran.code, Some(3), "{ran}");
    ran.explains(said)
        .explains("`dalsegno access token` makes another");
    assert!(!ran.err.contains("dalsegno-token-"), "{ran}");
    let ran = full(&["access", "token", "bot", "--json"]);
    assert_eq!((ran.code, ran.error().0.as_str()), (Some(3), "partly_done"));
    assert!(!ran.err.contains("dalsegno-token-"), "{ran}");
    full(&["access", "set", "bot", "all=bot/*"])
        .failed(3, said)
        .explains("and nothing else");
    full(&["access", "remove", "bot"])
        .failed(3, said)
        .explains("was removed");

    // Where the reader is gone, a save is saved; but a token is lost.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = house.command(&[&["access", "add", "bot", "read=**"], &ADMIN[..]].concat());
    let output = command.stdout(writer).stderr(Stdio::piped()).output();
    let ran = Ran::of(output.unwrap());
    assert_eq!(ran.code, Some(3), "{ran}");
    ran.explains("its token is lost");
    assert!(!ran.err.contains("dalsegno-token-"), "{ran}");
}
