//! What `sonoractl` says of a node that is not as it should be, and of what was typed wrong.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::thread;

use dalsegno_scripted as scripted;

use crate::common::{House, Ran};
use crate::stage::{Stage, ctl, refused};

/// Something that listens, and answers each request so. Gives its port.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // Whoever hangs up has heard enough.
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    port.to_string()
}

#[test]
fn what_is_no_node_is_told_with_what_was_asked_and_the_way_out() {
    let house = House::empty();
    let check = |options: &[&str], code, part: &str, way_out: &str| {
        let ran = ctl(&house, &[&["health-check"], options].concat());
        refused(&ran, code, part);
        ran.explains(way_out);
    };
    check(
        &["--host", "http://lavalink.example"],
        2,
        "\"http://lavalink.example\" is no host",
        "without a scheme",
    );
    check(
        &["--host", "lavalink.invalid", "--port", "1"],
        9,
        "the node lavalink.invalid:1 does not answer",
        "asked was http://lavalink.invalid:1: see --host and --port, and give --tls if it speaks TLS",
    );
    let node = scripted::Node::start(scripted::Options::default()).unwrap();
    let port = node.port().to_string();
    check(
        &["--port", &port, "--tls"],
        9,
        "does not answer in TLS",
        "leave --tls out",
    );
    let port = answering("220 mail.example ready\r\n");
    check(
        &["--port", &port],
        9,
        "does not answer as a node does",
        "asked was http://127.0.0.1:",
    );
    let port = answering(
        "HTTP/1.1 200 OK\r\ncontent-length: 15\r\nconnection: close\r\n\r\n<html>hi</html>",
    );
    check(
        &["--port", &port],
        2,
        "answers, but not as Lavalink does",
        "see --host and --port",
    );
    let port =
        answering("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    check(
        &["--port", &port],
        2,
        "is no Lavalink 4",
        "see --host and --port",
    );
}

#[test]
fn a_node_that_refuses_and_one_that_does_not_hold_it_differ() {
    let stage = Stage::playing(&[1]);
    stage.ctl(&["snapshot", "save", "--name", "party"]).ok();
    let restore = ["snapshot", "restore", "party"];
    let faults = [
        (scripted::Fault::Status(400), 2, "refuses it"),
        (scripted::Fault::Lie, 5, "does not hold it"),
    ];
    for (fault, code, part) in faults {
        stage.silence(1);
        let rule = scripted::Rule::new(fault);
        stage.node.script(rule.on("PATCH", "**"));
        refused(&stage.ctl(&restore), code, part);
        stage.node.unscript();
        assert_eq!(stage.plays(1), None);
        stage.ctl(&restore).ok();
    }
}

#[test]
fn what_is_typed_wrong_is_told_as_what_it_is() {
    let stage = Stage::playing(&[1]);
    stage.ctl(&["snapshot", "save", "--name", "party"]).ok();
    let restore = ["snapshot", "restore", "party"];
    let blanks = ["--components", " queue, filters "];
    let dry = stage.json(&[&restore[..], &blanks, &["--dry-run"]].concat());
    assert_eq!(
        dry["components"],
        serde_json::json!(["queue", "filters"]),
        "{dry}"
    );
    let done = stage.json(&[&restore[..], &blanks].concat());
    assert_eq!(done["components"], dry["components"], "{done}");
    let ran = stage.ctl(&["queue", "inspect", "--guild-id", "abc"]);
    refused(
        &ran,
        2,
        "'--guild-id <ID>': a guild's id is a number, such as 123456789",
    );
    for app in ["", "sonora/", "a//b"] {
        let ran = stage.ctl(&["--app", app, "snapshot", "list"]);
        refused(&ran, 2, "'--app <NAME>'");
    }
    let ran = stage.ctl(&["--store", "nowhere", "snapshot", "list"]);
    refused(&ran, 4, "give the bot's with --store PATH");
    let ran = stage.ctl(&["snapshot", "save", "--name", "latest"]);
    refused(&ran, 2, "choose another");
    let ran = stage.ctl(&["snapshot", "save", "--output", "-"]);
    refused(&ran, 2, "for standard output use `dalsegno snapshot show`");
    assert!(!stage.house.path("-").exists());
}

#[test]
fn what_is_wrong_in_the_environment_is_named_where_it_is_needed() {
    let house = House::new();
    let with = |variable: &str, value: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sonoractl"));
        command.args(arguments).stdin(Stdio::null());
        house.settle(&mut command);
        Ran::of(command.env(variable, value).output().unwrap())
    };
    let check = ["health-check"];
    let list = ["snapshot", "list"];
    for (variable, value, needs, others) in [
        ("SONORA_PORT", "high", &check[..], &list[..]),
        ("SONORA_APP", "a//b", &list, &["man"]),
    ] {
        let ran = with(variable, value, needs);
        refused(
            &ran,
            2,
            &format!("the environment variable {variable} is '{value}': "),
        );
        assert_eq!(with(variable, value, others).code, Some(0));
    }
    for variable in ["SONORA_APP", "SONORA_HOST", "SONORA_PORT"] {
        assert_eq!(with(variable, "", &list).code, Some(0));
        let ran = with(variable, "", &["health-check", "--host", "::1"]);
        assert!(ran.code == Some(9) || ran.code == Some(0), "{ran}");
    }
    let other = House::empty();
    let ran = ctl(&other, &["health-check", "--host", "::1", "--port", "1"]);
    refused(&ran, 9, "asked was http://[::1]:1: ");
    ran.explains("the node [::1]:1 ");
}

#[test]
fn no_advice_is_to_give_what_was_given() {
    let stage = Stage::playing(&[1, 2, 3]);
    for guild in ["1", "2"] {
        let save = ["snapshot", "save", "--name", "party", "--guild-id", guild];
        stage.ctl(&save).ok();
    }
    let info = ["snapshot", "info", "party"];
    refused(&stage.ctl(&info), 4, "or its --guild-id");
    let ran = stage.ctl(&[&info[..], &["--guild-id", "3"]].concat());
    refused(&ran, 4, "guild 3 itself has none of that name");
    assert!(!ran.err.contains("--guild-id"), "{ran}");
}
