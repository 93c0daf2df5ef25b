//! What `sonoractl snapshot restore` did can be taken back, after a cleanup too.

use jiff::SignedDuration;
use serde_json::json;

use crate::stage::Stage;

/// By age alone, nothing but the newest state would stay.
const CLEANUP: [&str; 4] = ["snapshot", "cleanup", "--older-than", "1ms"];

/// A player with so many upcoming tracks.
fn player(tracks: usize) -> String {
    let track = json!({"encoded": "t", "info": {"identifier": "t", "length": 1000}});
    json!({"queue": {"upcoming": vec![track; tracks]}}).to_string()
}

fn has(stage: &Stage, tracks: usize) {
    let queue = stage.json(&["queue", "inspect"]);
    assert_eq!(queue["queues"][0]["upcoming"], tracks, "{queue}");
}

#[test]
fn what_a_restore_of_today_stood_on_stays() {
    let stage = Stage::empty();
    let ago = |hours: i64| SignedDuration::from_hours(10 * 24 - hours);
    let old = stage.house.save_ago("sonora/7", ago(0), &player(1));
    stage.house.save_ago("sonora/7", ago(1), &player(2));
    stage.ctl(&["snapshot", "restore", &old]).ok();
    let cleaned = stage.json(&CLEANUP);
    assert_eq!(cleaned["deleted"], 1, "{cleaned}");
    // Those of today stay whatever the rule says.
    for rule in ["safety", "undo"] {
        let stays = format!(r#"{{"rule":"{rule}","than":"#);
        assert!(cleaned.to_string().contains(&stays), "{cleaned}");
    }
    has(&stage, 1);
    stage.house.run(&["undo", "sonora/7"]).ok();
    has(&stage, 2);
}

#[test]
fn a_restore_names_what_it_restored_and_the_way_back() {
    let mut stage = Stage::playing(&[1]);
    stage.ctl(&["snapshot", "save", "--name", "party"]).ok();
    let restore = ["snapshot", "restore", "party"];
    let part = ["--components", "queue"];
    let ran = stage.ctl(&[&restore[..], &part].concat()).ok();
    ran.says("restored: queue\n");
    stage.silence(1);
    // It is that already: the node is told all the same, and an undo takes back that and nothing older.
    stage.ctl(&["snapshot", "save", "--name", "quiet"]).ok();
    let same = stage.json(&["snapshot", "restore", "quiet"]);
    let undo = same["undo"].as_str().unwrap();
    stage.house.shell(undo).ok().says("done by the bot");
    assert_eq!(stage.plays(1), None);
    let done = stage.json(&restore);
    let undo = done["undo"].as_str().unwrap();
    stage.house.shell(undo).ok().says("done by the bot");
    assert_eq!(stage.plays(1), None);
    stage.stop();
    let ran = stage.ctl(&restore).ok();
    ran.says("restored: queue, current, ");
    let text = ran.text();
    let (_, undo) = text.split_once("to take it back: ").unwrap();
    stage.house.shell(undo).ok();
    let queue = stage.json(&["queue", "inspect"]);
    assert_eq!(queue["queues"][0]["current"], json!(null), "{queue}");
}
