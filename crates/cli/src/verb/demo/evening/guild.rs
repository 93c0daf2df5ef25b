//! A guild's player: the position moves, tracks end and go to the history.

use serde::Serialize;
use serde_json::{Value, json};

use super::STEP_MS;

/// As many tracks as the history keeps.
const HISTORY: usize = 50;

/// Lets two minutes of music pass.
pub(super) fn step(player: &mut Value, step: u32) -> Option<()> {
    let elapsed = STEP_MS + u64::from(step) * 7 % 40;
    let time = player.pointer("/timestamp")?.as_f64()?;
    let seconds = std::time::Duration::from_millis(elapsed).as_secs_f64();
    *player.pointer_mut("/timestamp")? = json!(((time + seconds) * 1e3).round() / 1e3);
    let mut position = player.pointer("/player/position")?.as_u64()? + elapsed;
    while let Some(length) = player
        .pointer("/queue/current/info/length")
        .and_then(Value::as_u64)
    {
        if position < length {
            break;
        }
        position -= length;
        next_track(player.pointer_mut("/queue")?)?;
    }
    *player.pointer_mut("/player/position")? = json!(position);
    if step.is_multiple_of(15) {
        let volume = player.pointer("/player/volume")?.as_u64()?;
        *player.pointer_mut("/player/volume")? = json!(if volume > 100 {
            volume - 45
        } else {
            volume + 10
        });
    }
    Some(())
}

/// With loop mode `queue`, a track that ends goes to the history and back to the end.
fn next_track(queue: &mut Value) -> Option<()> {
    let upcoming = queue.pointer_mut("/upcoming")?.as_array_mut()?;
    if upcoming.is_empty() {
        return None;
    }
    let next = upcoming.remove(0);
    let ended = std::mem::replace(queue.pointer_mut("/current")?, next);
    queue
        .pointer_mut("/upcoming")?
        .as_array_mut()?
        .push(ended.clone());
    let history = queue.pointer_mut("/history")?.as_array_mut()?;
    history.push(ended);
    if history.len() > HISTORY {
        history.remove(0);
    }
    Some(())
}

/// What a person would say of a player's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::verb::demo) struct Playing {
    pub(in crate::verb::demo) title: String,
    pub(in crate::verb::demo) author: String,
    pub(in crate::verb::demo) position_ms: u64,
    pub(in crate::verb::demo) length_ms: u64,
    pub(in crate::verb::demo) upcoming: usize,
    pub(in crate::verb::demo) volume: u64,
}

impl Playing {
    pub(in crate::verb::demo) fn of(player: &Value) -> Self {
        let text = |at: &str| {
            player
                .pointer(at)
                .and_then(Value::as_str)
                .unwrap_or("?")
                .to_owned()
        };
        let number = |at: &str| player.pointer(at).and_then(Value::as_u64).unwrap_or(0);
        let upcoming = player.pointer("/queue/upcoming").and_then(Value::as_array);
        Self {
            title: text("/queue/current/info/title"),
            author: text("/queue/current/info/author"),
            position_ms: number("/player/position"),
            length_ms: number("/queue/current/info/length"),
            upcoming: upcoming.map_or(0, Vec::len),
            volume: number("/player/volume"),
        }
    }

    /// In a sentence.
    pub(in crate::verb::demo) fn sentence(&self) -> String {
        let clock = |ms: u64| format!("{}:{:02}", ms / 60_000, ms / 1000 % 60);
        format!(
            "\"{}\" by {} at {} of {}, {} tracks to come, volume {}",
            self.title,
            self.author,
            clock(self.position_ms),
            clock(self.length_ms),
            self.upcoming,
            self.volume
        )
    }
}
