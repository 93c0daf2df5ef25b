//! A day of a queue session, saved by one process for each state.

use serde_json::{Value, json};

use crate::common::{House, long};

/// Five minutes between saves, around the clock.
const DAY: usize = 288;

/// The player's file after another five minutes: the position moves, tracks end and go round.
fn step(player: &mut Value, elapsed: u64) {
    let time = player["timestamp"].as_f64().unwrap();
    player["timestamp"] = json!(time + 300.0);
    let mut position = player["player"]["position"].as_u64().unwrap() + elapsed;
    while position
        >= player["queue"]["current"]["info"]["length"]
            .as_u64()
            .unwrap()
    {
        position -= player["queue"]["current"]["info"]["length"]
            .as_u64()
            .unwrap();
        let next = player["queue"]["upcoming"]
            .as_array_mut()
            .unwrap()
            .remove(0);
        let ended = std::mem::replace(&mut player["queue"]["current"], next);
        player["queue"]["upcoming"]
            .as_array_mut()
            .unwrap()
            .push(ended.clone());
        let history = player["queue"]["history"].as_array_mut().unwrap();
        history.push(ended);
        history.remove(0);
    }
    player["player"]["position"] = json!(position);
}

#[test]
fn a_day_of_saves_is_small_and_every_state_comes_back() {
    let saves = if long() { DAY } else { 40 };
    let house = House::new();
    let mut text = include_bytes!("../../../../examples/sessions/player.json").to_vec();
    let mut player: Value = serde_json::from_slice(&text).unwrap();
    let mut states = Vec::new();
    for save in 0..saves {
        house.write("player.json", &text);
        house
            .run(&[
                "snapshot",
                "save",
                "bot/42",
                "--from",
                "player.json",
                "--kind",
                "auto",
            ])
            .ok();
        states.push(text);
        step(&mut player, 300_000 + u64::try_from(save).unwrap() * 7 % 40);
        text = serde_json::to_vec_pretty(&player).unwrap();
    }
    for (back, state) in states.iter().rev().enumerate() {
        let shown = house
            .run(&["snapshot", "show", &format!("bot/42@-{back}")])
            .ok();
        assert!(shown.out == *state, "{back} back");
    }
    let names = house.names(".dalsegno");
    assert_eq!(names, ["store.db"], "the last to leave takes the WAL away");
    let stored = usize::try_from(std::fs::metadata(house.store()).unwrap().len()).unwrap();
    let files: usize = states.iter().map(Vec::len).sum();
    eprintln!(
        "{saves} saves: {files} bytes of files, {stored} bytes of store, {} times smaller",
        files / stored
    );
    let promised = if long() { 100 } else { 25 };
    assert!(stored * promised <= files, "{files} bytes in {stored}");
}
