//! Where the token comes from that says who asks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::access::{ADMIN, asking, token};
use crate::common::{House, Ran};

const USER: &str = ".config/dalsegno/config.toml";

const LIST: [&str; 2] = ["snapshot", "list"];

/// What a store says that asks, of one who gave no token.
const ASKS: &str = "this store asks who you are";

fn with(house: &House, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = house.command(arguments);
    command.envs(variables.iter().copied());
    Ran::of(command.stdin(Stdio::null()).output().unwrap())
}

fn write(house: &House, name: &str, text: &str, mode: u32) {
    let path = house.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    house.write(name, text);
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn each_source_says_who_asks_and_the_first_one_counts() {
    let house = asking();
    let right = token(&house, "admin");
    let add = ["access", "add", "old", "all=**", "--to", "old"];
    house.run(&[&add[..], &ADMIN].concat()).ok();
    let old = token(&house, "old");
    house
        .run(&[&["access", "remove", "old"], &ADMIN[..]].concat())
        .ok();

    let ran = house.run(&LIST).refused(8, ASKS);
    for way in [
        "--token-file",
        "DALSEGNO_TOKEN_FILE",
        "DALSEGNO_TOKEN,",
        "token_file",
        "[access]",
    ] {
        ran.explains(way);
    }
    let sources = [
        ("DALSEGNO_TOKEN_FILE", "admin", "old"),
        ("DALSEGNO_TOKEN", right.as_str(), old.as_str()),
    ];
    for (name, right, wrong) in sources {
        with(&house, &[(name, right)], &LIST).ok().says("bot/1");
        let ran = with(&house, &[(name, wrong)], &LIST);
        ran.refused(
            8,
            &format!("{name}: no principal of this store has this token"),
        );
    }
    let empty = sources.map(|(name, ..)| (name, ""));
    with(&house, &empty, &LIST).refused(8, ASKS);
    with(
        &house,
        &[("DALSEGNO_TOKEN_FILE", "admin"), ("DALSEGNO_TOKEN", &old)],
        &LIST,
    )
    .ok();
    let wrong = sources.map(|(name, _, wrong)| (name, wrong));
    with(&house, &wrong, &[&LIST[..], &ADMIN].concat())
        .ok()
        .says("bot/1");

    write(&house, USER, "[access]\ntoken_file = '../../admin'", 0o600);
    house.run(&LIST).ok().says("bot/1");
    with(&house, &[("DALSEGNO_TOKEN", &old)], &LIST).refused(8, "DALSEGNO_TOKEN: ");
    let shown = house.run(&["config", "show"]).ok();
    shown.says("access.token_file").says("config.toml:2");
    let shown = with(&house, &[("DALSEGNO_TOKEN", &right)], &["config", "show"]).ok();
    shown.says("not shown");
    assert!(!shown.text().contains(&right), "{shown}");
    house
        .run(&["doctor"])
        .ok()
        .says("by principals; the token is that of")
        .says("config.toml:2");
    let doctor = with(&house, &[("DALSEGNO_TOKEN", &right)], &["doctor", "--json"])
        .ok()
        .json();
    assert_eq!(
        (&doctor["asks_who"], &doctor["token_by"], &doctor["audited"]),
        (&true.into(), &"DALSEGNO_TOKEN".into(), &true.into())
    );
}

#[test]
fn what_is_no_token_is_refused_and_not_repeated() {
    let house = asking();
    let list = [&LIST[..], &ADMIN].concat();
    let right = token(&house, "admin");
    let ran = house.run(&[&LIST[..], &["--token-file", &right]].concat());
    let ran = ran.refused(2, "this is a token where the name of a file was meant");
    assert!(!ran.err.contains(&right), "{ran}");
    fs::set_permissions(house.path("admin"), fs::Permissions::from_mode(0o644)).unwrap();
    house
        .run(&list)
        .refused(2, "everybody on this machine can read the token in admin");
    write(&house, "admin", "correct horse", 0o600);
    let ran = house
        .run(&list)
        .refused(2, "admin: a token is 'dalsegno-token-' and 43 characters");
    assert!(!ran.err.contains("horse"), "{ran}");
    house.write("admin", b"\xff\xfe");
    house
        .run(&list)
        .refused(2, "admin holds no token: it is not text");
    fs::remove_file(house.path("admin")).unwrap();
    house.run(&list).refused(4, "reading the token in admin");
    let ran = with(&house, &[("DALSEGNO_TOKEN", "correct horse")], &LIST)
        .refused(2, "DALSEGNO_TOKEN: a token is");
    assert!(!ran.err.contains("horse"), "{ran}");
}

#[test]
fn a_configuration_that_cannot_be_read_or_trusted_names_nobody() {
    let house = asking();
    write(&house, "dalsegno.toml", "[acces]", 0o600);
    let list = [&LIST[..], &["--store", ".dalsegno"]].concat();
    house
        .run(&list)
        .refused(8, ASKS)
        .explains("did you mean 'access'?");
    house.run(&[&list[..], &ADMIN].concat()).ok();
    write(
        &house,
        "dalsegno.toml",
        "access.token_file = 'admin'",
        0o606,
    );
    house
        .run(&LIST)
        .refused(8, "names the token's file, but can be written by others");
    write(
        &house,
        "dalsegno.toml",
        "access.token_file = 'admin'",
        0o600,
    );
    house.run(&LIST).ok();
    fs::set_permissions(house.path("admin"), fs::Permissions::from_mode(0o644)).unwrap();
    house
        .run(&["config", "check"])
        .failed(1, "1 problem")
        .says("the token can be read by everybody");
}

#[test]
fn a_pipe_that_has_the_token_is_read_once() {
    let house = asking();
    fs::create_dir(house.path("chats")).unwrap();
    house.write("chats/anna.json", "{\"messages\":[1]}");
    house
        .shell("cat admin | dalsegno watch chats --once --token-file /dev/stdin")
        .ok();
    house.run(&[&LIST[..], &ADMIN].concat()).ok().says("anna");
}

#[test]
fn commands_that_are_printed_and_services_name_the_file() {
    let house = asking();
    let add = ["fork", "bot/1@latest", "bot/2"];
    house.run(&[&add[..], &ADMIN].concat()).ok();
    house
        .feed(
            &[&["snapshot", "save", "bot/1"], &ADMIN[..]].concat(),
            b"[7]",
        )
        .ok();
    let ran = house
        .run(&[&["rollback", "bot/1"], &ADMIN[..]].concat())
        .ok();
    ran.says("undo --token-file admin bot/1");
    let listed = house
        .run(&[&["snapshot", "list", "--limit", "1"], &ADMIN[..]].concat())
        .ok();
    listed.explains("--token-file admin");

    fs::create_dir(house.path("chats")).unwrap();
    let service = ["watch", "service", "chats"];
    let unit = house.run(&[&service[..], &ADMIN].concat()).ok().text();
    let file = house.path("admin").canonicalize().unwrap();
    assert!(
        unit.contains(&format!("\"--token-file\" \"{}\"", file.display())),
        "{unit}"
    );
    let right = token(&house, "admin");
    let ran = with(&house, &[("DALSEGNO_TOKEN", &right)], &service);
    ran.refused(2, "name the file of its token with --token-file");
}

#[test]
fn an_encrypted_store_takes_both() {
    let house = asking();
    let key = ["--new-key-file", "key"];
    house
        .run(&[&["key", "init"], &key[..]].concat())
        .refused(8, ASKS);
    house
        .run(&[&["key", "init"], &key[..], &ADMIN].concat())
        .ok();
    let both = [&LIST[..], &["--key-file", "key"], &ADMIN].concat();
    house.run(&both).ok().says("bot/1");
    house
        .run(&[&LIST[..], &["--key-file", "key"]].concat())
        .refused(8, ASKS);
    house
        .run(&[&LIST[..], &ADMIN].concat())
        .refused(7, "no key was given");
    let off = ["key", "remove", "--all", "--key-file", "key"];
    house.run(&off).refused(8, ASKS);
    house.run(&[&off[..], &ADMIN].concat()).ok();
}

#[test]
fn sonoractl_is_given_the_token_in_the_same_ways() {
    let house = asking();
    house
        .feed(
            &[&["snapshot", "save", "sonora/7"], &ADMIN[..]].concat(),
            b"{}",
        )
        .ok();
    let right = token(&house, "admin");
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sonoractl"));
        command.args(arguments);
        house.settle(&mut command);
        command.envs(variables.iter().copied());
        Ran::of(command.stdin(Stdio::null()).output().unwrap())
    };
    let refused = run(&LIST, &[]);
    assert_eq!((refused.code, refused.out.len()), (Some(8), 0), "{refused}");
    refused.explains("--token-file");
    run(&[&LIST[..], &ADMIN].concat(), &[]).says("sonora/7");
    run(&LIST, &[("DALSEGNO_TOKEN", &right)]).says("sonora/7");
    run(&["doctor"], &[("DALSEGNO_TOKEN", &right)]).says("the token is that of DALSEGNO_TOKEN");
}
