//! `sonoractl`: the real program, with a bot that runs in this process and plays on a scripted node.

use std::os::unix::fs::PermissionsExt;

use dalsegno_scripted as scripted;
use dalsegno_sonora::SnapshotFile;
use serde_json::json;

use crate::common::House;
use crate::stage::{Stage, ctl, refused};

#[test]
fn what_plays_is_saved_and_plays_again() {
    let stage = Stage::playing(&[1]);
    let ran = stage.ctl(&[
        "snapshot",
        "save",
        "--name",
        "party_session",
        "--tag",
        "friday",
    ]);
    ran.ok()
        .says("guild 1: 4 tracks (Title of track-0 at 0:45), saved as")
        .says("'party_session'");
    let ran = stage.ctl(&["snapshot", "info", "party_session"]).ok();
    ran.says("Title of track-0 at 0:45")
        .says("3 tracks")
        .says("friday");
    stage.silence(1);
    assert_eq!(stage.plays(1), None);
    let ran = stage
        .ctl(&["snapshot", "restore", "party_session", "--dry-run"])
        .ok();
    ran.says("guild 1 would have: Title of track-0 at 0:45, 3 tracks upcoming")
        .says("dry run");
    assert_eq!(stage.plays(1), None);
    let ran = stage.ctl(&["snapshot", "restore", "party_session"]).ok();
    ran.says("guild 1: Title of track-0 at 0:45, 3 tracks upcoming")
        .says("its node holds it")
        .says("restored: queue, current, filters, autoplay, settings\n");
    let path = std::path::Path::new(env!("CARGO_BIN_EXE_sonoractl")).with_file_name("dalsegno");
    ran.says(&format!(
        "to take it back: {} undo --ask sonora/1\n",
        path.display()
    ));
    assert_eq!(stage.plays(1).as_deref(), Some("track-0"));
    assert_eq!(stage.node.player(1).unwrap().position / 1000, 45);
    let queue = stage.json(&["queue", "inspect"]);
    assert_eq!(
        (&queue["live"], &queue["queues"][0]["upcoming"]),
        (&json!(true), &json!(3))
    );
    stage
        .ctl(&["queue", "inspect", "--guild-id", "1"])
        .ok()
        .says(" 3. Title of track-3");
    // As any other restore, by the other command.
    stage
        .house
        .run(&["undo", "sonora/1", "--ask"])
        .ok()
        .says("it goes on with that state");
    assert_eq!(stage.plays(1), None);
}

#[test]
fn several_guilds_are_saved_at_once_and_told_apart() {
    let stage = Stage::playing(&[1, 2]);
    let saved = stage.json(&[
        "snapshot",
        "save",
        "--name",
        "party",
        "--output",
        "out/s.json",
    ]);
    assert_eq!(saved["saved"].as_array().unwrap().len(), 2, "{saved}");
    assert_eq!(
        (&saved["saved"][1]["tracks"], &saved["failed"]),
        (&json!(4), &json!([]))
    );
    let file = SnapshotFile::load(&stage.house.path("out/s_guild_2.json")).unwrap();
    assert_eq!((file.guild_id, file.is_checked()), (2, true));
    assert_eq!(file.data["queue"]["upcoming"].as_array().unwrap().len(), 3);
    let ran = stage.ctl(&["snapshot", "restore", "party"]);
    refused(&ran, 4, "--guild-id");
    assert!(
        ran.err.contains("sonora/1") && ran.err.contains("sonora/2"),
        "{ran}"
    );
    stage.silence(2);
    let done = stage.json(&["snapshot", "restore", "party", "--guild-id", "2"]);
    assert_eq!(
        (&done["guild"], &done["upcoming"], &done["live"]),
        (&json!(2), &json!(3), &json!(true))
    );
    assert_eq!(stage.plays(2).as_deref(), Some("track-0"));
    // A name that is there already, in one of both.
    let one = ["snapshot", "save", "--name", "one", "--guild-id", "1"];
    stage.ctl(&one).ok().says("guild 1");
    let ran = stage.ctl(&["snapshot", "save", "--name", "one"]);
    refused(&ran, 3, "guild 1 was not saved");
    ran.says("guild 2");
    refused(&stage.ctl(&one), 5, "guild 1 was not saved");
}

#[test]
fn a_component_or_another_guild_s_or_a_file_is_restored() {
    let stage = Stage::playing(&[1, 2]);
    let save = [
        "snapshot",
        "save",
        "--guild-id",
        "1",
        "--name",
        "party",
        "--output",
        "s.json",
    ];
    stage.ctl(&save).ok().says("written to s.json");
    stage.silence(2);
    let queue = [
        "snapshot",
        "restore",
        "party",
        "--guild-id",
        "2",
        "--components",
        "queue",
    ];
    stage
        .ctl(&queue)
        .ok()
        .says("nothing plays, 3 tracks upcoming");
    assert_eq!(stage.plays(2), None);
    let ran = stage
        .ctl(&["snapshot", "restore", "s.json", "--guild-id", "2"])
        .ok();
    ran.says("guild 2: Title of track-0 at 0:45");
    assert_eq!(stage.plays(2).as_deref(), Some("track-0"));
    stage
        .ctl(&["snapshot", "info", "s.json"])
        .ok()
        .says("checksum")
        .says("right");
    let words = ["snapshot", "restore", "party", "--components", "sound"];
    refused(&stage.ctl(&words), 2, "no component of a player");
    refused(
        &stage.ctl(&["snapshot", "restore", "nothing"]),
        4,
        "nothing",
    );
    let text = String::from_utf8(stage.house.read("s.json")).unwrap();
    stage.house.write(
        "torn.json",
        text.replace("45000", "46000")
            .replace("\"volume\": 100", "\"volume\": 99"),
    );
    refused(
        &stage.ctl(&["snapshot", "restore", "torn.json"]),
        6,
        "checksum",
    );
}

#[test]
fn what_the_node_does_not_do_is_not_claimed() {
    let stage = Stage::playing(&[1]);
    stage.ctl(&["snapshot", "save", "--name", "party"]).ok();
    stage.silence(1);
    let lie = scripted::Rule::new(scripted::Fault::Lie);
    stage.node.script(lie.on("PATCH", "**"));
    let ran = stage.ctl(&["snapshot", "restore", "party"]);
    refused(&ran, 5, "does not play");
    assert!(ran.out.is_empty(), "{ran}");
}

#[test]
fn without_a_bot_it_works_on_what_is_stored_and_the_bot_does_it_at_its_start() {
    let mut stage = Stage::playing(&[1]);
    stage.ctl(&["snapshot", "save", "--name", "party"]).ok();
    stage.silence(1);
    stage.stop();
    let ran = stage.ctl(&["snapshot", "restore", "party"]).ok();
    ran.says("stored as what it is to play").says("no bot runs");
    // A name for it changes nothing of that.
    let ran = stage.ctl(&["snapshot", "save", "--name", "later"]).ok();
    ran.explains("no bot runs").says("4 tracks");
    assert_eq!(stage.json(&["queue", "inspect"])["live"], json!(false));
    assert_eq!(stage.plays(1), None);
    stage.start();
    assert_eq!(stage.plays(1).as_deref(), Some("track-0"));
    assert_eq!(stage.node.player(1).unwrap().position / 1000, 45);
    stage.stop();
    let elsewhere = [
        "snapshot",
        "restore",
        "sonora/1@party",
        "--guild-id",
        "9",
        "--new",
    ];
    stage
        .ctl(&elsewhere)
        .ok()
        .says("stored as what it is to play");
    let queue = stage.json(&["queue", "inspect", "--guild-id", "9"]);
    assert_eq!(queue["queues"][0]["upcoming"], 3);
    stage.start();
    assert_eq!(stage.plays(9).as_deref(), Some("track-0"));
    let status = stage.json(&["deploy", "status"]);
    let holder = &status["players"][0]["holder"];
    assert_eq!(
        (&holder["standing"], &holder["program"]),
        (&json!("open"), &json!("the bot"))
    );
}

#[test]
fn snapshots_are_listed_deleted_and_cleaned_up() {
    let mut stage = Stage::playing(&[1, 2]);
    stage.house.save("another/1", "{}");
    stage.ctl(&["snapshot", "save", "--name", "old"]).ok();
    let listed = stage.json(&["snapshot", "list"]);
    let listed = listed["snapshots"].as_array().unwrap();
    assert!(
        listed.iter().all(|it| it["session"] != "another/1"),
        "{listed:?}"
    );
    assert_eq!(listed.iter().filter(|it| it["name"] == "old").count(), 2);
    let one = stage.json(&["snapshot", "list", "--guild-id", "2", "--limit", "1"]);
    assert_eq!(one["snapshots"][0]["session"], "sonora/2");
    refused(&stage.ctl(&["snapshot", "delete", "old"]), 4, "--guild-id");
    for verb in ["delete", "info"] {
        let ran = stage.ctl(&["snapshot", verb, "sonora/1@old", "--guild-id", "2"]);
        refused(&ran, 4, "of guild 1");
    }
    let few = ["snapshot", "list", "--limit", "1"];
    stage.ctl(&few).ok().explains("there are more than these 1");
    refused(
        &stage.ctl(&["snapshot", "list", "--limit", "0"]),
        2,
        "--limit",
    );
    let delete = ["snapshot", "delete", "old", "--guild-id", "1"];
    let dry = [&delete[..], &["--dry-run"]].concat();
    stage.ctl(&dry).ok().says("dry run");
    stage.ctl(&delete).ok().says("in the trash");
    refused(
        &stage.ctl(&["snapshot", "info", "sonora/1@old"]),
        4,
        "in the trash",
    );
    refused(
        &stage.ctl(&["snapshot", "info", "another/1@latest"]),
        2,
        "no player's",
    );
    stage.stop();
    let days = jiff::SignedDuration::from_hours(10 * 24);
    stage.house.save_ago("sonora/7", days, "{\"queue\":{}}");
    stage.house.save_ago(
        "sonora/7",
        days - jiff::SignedDuration::from_hours(1),
        "{\"queue\":{\"a\":1}}",
    );
    stage.house.save_ago("another/7", days, "{}");
    let cleanup = ["snapshot", "cleanup", "--older-than", "7d"];
    let dry = stage.json(&[&cleanup[..], &["--dry-run"]].concat());
    assert_eq!(
        (&dry["deleted"], &dry["dry_run"]),
        (&json!(1), &json!(true)),
        "{dry}"
    );
    let ran = stage.ctl(&[&cleanup[..], &["--dry-run"]].concat()).ok();
    ran.says("sonora/7")
        .says("delete")
        .says("older than 7 days")
        .says("the newest state")
        .says("dry run: nothing was changed");
    stage
        .ctl(&cleanup)
        .ok()
        .says("1 snapshot moved to the trash");
    assert_eq!(stage.json(&cleanup)["deleted"], 0);
    stage
        .house
        .run(&["snapshot", "info", "another/7@latest"])
        .ok();
    refused(&stage.ctl(&["snapshot", "cleanup"]), 2, "--older-than");
}

#[test]
fn the_node_s_health_has_its_exit_codes_and_no_password_is_shown() {
    let mut stage = Stage::empty();
    let port = stage.node.port().to_string();
    let check = ["health-check", "--port", &port];
    stage.ctl(&check).ok().says("is Lavalink 4.2.2");
    let health = stage.json(&check);
    assert_eq!(
        (&health["version"], &health["players"]),
        (&json!("4.2.2"), &json!(0))
    );
    stage
        .house
        .write("node.password", "\u{feff}youshallnotpass\r\n");
    let marked = [&check[..], &["--password-file", "node.password"]].concat();
    stage.ctl(&marked).ok();
    stage.house.write("node.password", "guess\n");
    let wrong = [&check[..], &["--password-file", "node.password"]].concat();
    refused(&stage.ctl(&wrong), 8, "does not accept the password");
    let wrong = [&check[..], &["--password", "guess"]].concat();
    let ran = stage.ctl(&wrong);
    refused(&ran, 8, "password");
    assert!(!ran.err.contains("guess"), "{ran}");
    let doctor = ["doctor", "--port", &port];
    stage
        .ctl(&doctor)
        .ok()
        .says("Lavalink 4.2.2")
        .says("players        no bot runs\n");
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(stage.house.store(), mode(0o644)).unwrap();
    let ran = stage.ctl(&doctor).ok();
    ran.says("warning  store          others than the owner may use the store");
    std::fs::set_permissions(stage.house.store(), mode(0o600)).unwrap();
    let v3 = scripted::Node::start(scripted::Options::v3()).unwrap();
    let old = v3.port().to_string();
    refused(
        &stage.ctl(&["health-check", "--port", &old]),
        2,
        "version 4 is needed",
    );
    stage.node.kill();
    refused(&stage.ctl(&check), 9, "does not answer");
    let ran = stage.ctl(&doctor);
    refused(&ran, 1, "found 1 problem");
    ran.says("does not answer");
}

#[test]
fn the_help_the_pages_and_the_scripts_are_whole() {
    let house = House::empty();
    let verbs = [
        "snapshot-save",
        "snapshot-restore",
        "snapshot-info",
        "snapshot-list",
        "snapshot-delete",
        "snapshot-cleanup",
        "queue-inspect",
        "health-check",
        "doctor",
        "deploy-take",
        "deploy-status",
        "completions",
        "man",
    ];
    for verb in verbs {
        let words: Vec<&str> = match verb {
            "health-check" => vec![verb],
            _ => verb.split('-').collect(),
        };
        let ran = ctl(&house, &[&words[..], &["--help"]].concat());
        assert_eq!(ran.code, Some(0), "{ran}");
        ran.says("Examples:").says("--password-file").says("--json");
        assert!(
            !ran.text().contains("--password s"),
            "no example has a password: {ran}"
        );
    }
    let ran = ctl(&house, &["--help"]);
    ran.says("9 unreachable")
        .says("which others on this machine can then see");
    let pages = ctl(&house, &["man", "--output", "pages", "--json"])
        .ok()
        .json();
    let pages = pages["pages"].as_array().unwrap().len();
    // The main page, and those of snapshot, queue and deploy.
    assert_eq!(pages, verbs.len() + 4);
    let page = String::from_utf8(house.read("pages/sonoractl-snapshot-save.1")).unwrap();
    assert!(page.contains(".TH sonoractl-snapshot-save 1"), "{page}");
    ctl(&house, &["completions", "bash"])
        .ok()
        .says("health-check")
        .says("_sonoractl");
    refused(&ctl(&house, &["snapshot"]), 2, "which verb?");
    refused(
        &ctl(&house, &["snapshot", "list"]),
        4,
        "give the bot's with --store",
    );
}

#[test]
fn a_file_of_configuration_names_the_store() {
    let stage = Stage::empty();
    stage.house.write("other.toml", "store = \".dalsegno\"\n");
    stage
        .house
        .save("sonora/3", "{\"queue\":{\"upcoming\":[]}}");
    let elsewhere = House::empty();
    let file = stage.house.path("other.toml").display().to_string();
    let listed = ctl(
        &elsewhere,
        &["--config", &file, "snapshot", "list", "--json"],
    )
    .ok()
    .json();
    assert_eq!(listed["snapshots"][0]["session"], "sonora/3");
    let info = ["--config", &file, "snapshot", "info", "sonora/3@-1"];
    refused(&ctl(&elsewhere, &info), 4, "has only 1 state, so");
    let missing = ctl(&elsewhere, &["--config", "none.toml", "snapshot", "list"]);
    refused(&missing, 4, "none.toml");
    let app = ctl(
        &elsewhere,
        &["--config", &file, "--app", "bot", "queue", "inspect"],
    );
    refused(&app, 4, "bot/GUILD");
}

#[test]
fn another_bot_is_asked_to_take_the_players_over() {
    let stage = Stage::playing(&[1, 2]);
    let take = ["deploy", "take", "--to", "green"];
    refused(&stage.ctl(&take), 4, "no running bot has a name");
    let node = scripted::Node::start(scripted::Options::default()).unwrap();
    let green = stage.another(&node, "the new bot", Some("green"));
    let ran = stage.ctl(&[&take[..], &["--dry-run"]].concat()).ok();
    ran.says("guild 2: the bot has it")
        .says("green would take 2 players");
    assert!(node.player(1).is_none());
    let lie = scripted::Rule::new(scripted::Fault::Lie);
    node.script(lie.on("PATCH", "/v4/sessions/*/players/2"));
    refused(&stage.ctl(&take), 5, "guild 2");
    assert_eq!(stage.plays(1).as_deref(), Some("track-0"));
    let rolling = [
        &take[..],
        &["--rolling", "--batch", "1", "--between", "1ms"],
    ]
    .concat();
    let ran = stage.ctl(&rolling);
    refused(&ran, 3, "guild 2 went back");
    ran.says("guild 1: Title of track-0 at 0:45, 3 upcoming, on main");
    node.unscript();
    stage.ctl(&take).ok().says("green took 1 player over");
    for guild in [1, 2] {
        let player = node.player(guild).unwrap();
        assert_eq!(player.identifier.as_deref(), Some("track-0"));
    }
    let missing = ["deploy", "take", "--to", "blue"];
    refused(&stage.ctl(&missing), 4, "there are green");
    stage.runtime.block_on(green.stop()).unwrap();
}
