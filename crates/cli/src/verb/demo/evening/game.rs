//! A game: a turn is played.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::text::choose;

const ACTIONS: [&str; 6] = [
    "I hold the lantern over the water and count the steps that are still dry.",
    "Corin reads the inscription aloud, slowly, leaving out the last word.",
    "Bram ties the rope around the pillar and tests it with his whole weight.",
    "We wait until the tide turns. Who keeps the first watch?",
    "Ysolde looses an arrow at the bell, to hear what it answers.",
    "I ask the ferryman what he was paid, and by whom.",
];

const NARRATIONS: [&str; 6] = [
    "The water answers before anyone speaks: three rings, from the middle outward, and then the stair below you is one step longer than it was.",
    "Something in the tower shifts its weight. The dust that falls from the beams falls upwards, for the length of a breath.",
    "The rope holds. From the dark above comes the sound of a key being turned, patiently, in a lock that has no door.",
    "\"I was paid in years,\" says the ferryman, \"and I have spent most of them.\" He does not look at the bell when he says it.",
    "The arrow passes through the note it raised and comes back to your hand, wet and very cold.",
    "For a moment the whole landing smells of lamp oil and lilies. Then the tide goes on with what it was doing.",
];

/// Plays a turn.
pub(super) fn step(game: &mut Value) -> Option<()> {
    let turn = game.pointer("/turn_count")?.as_u64()? + 1;
    *game.pointer_mut("/turn_count")? = json!(turn);
    let history = game.pointer_mut("/conversation_history")?.as_array_mut()?;
    let last = history.last()?.pointer("/timestamp")?.as_str()?;
    let last: Timestamp = last.parse().ok()?;
    let at = |seconds| {
        let time = last.checked_add(SignedDuration::from_secs(seconds)).ok()?;
        Some(time.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string())
    };
    history.push(json!({
        "role": "user", "agent": null, "turn": turn,
        "content": choose(&ACTIONS, turn), "timestamp": at(312)?,
    }));
    let hurt = turn % 5;
    history.push(json!({
        "role": "assistant", "agent": "narrator", "turn": turn,
        "content": format!("{} Corin loses {hurt} hit points.", choose(&NARRATIONS, turn)),
        "timestamp": at(321)?,
    }));
    *game.pointer_mut("/active_agents/narrator")? = json!(format!("done:{turn}"));
    let corin = game.pointer_mut("/metadata/party/1/hit_points")?;
    let left = corin.as_u64()?.saturating_sub(hurt);
    // Who is down is picked up again, in this house.
    *corin = json!(if left == 0 { 19 } else { left });
    Some(())
}
