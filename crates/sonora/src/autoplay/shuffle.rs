//! Shuffling with a memory.

use rand::Rng;
use rand::seq::SliceRandom;

use super::similar::same_song;
use crate::queue::Queue;
use crate::track::Track;

/// How many of the last tracks count as heard lately.
const LATELY: usize = 10;

/// Puts the upcoming tracks into an order by chance, those heard lately behind all others, as they stood.
pub fn smart_shuffle<R: Rng + ?Sized>(queue: &mut Queue, rng: &mut R) {
    let skipped = queue.history.len().saturating_sub(LATELY);
    let heard: Vec<&Track> = queue
        .history
        .iter()
        .skip(skipped)
        .chain(&queue.current)
        .collect();
    let lately = |track: &Track| heard.iter().any(|heard| same_song(heard, track));
    let (mut last, mut first) = (Vec::new(), Vec::new());
    for (place, track) in queue.upcoming.iter().enumerate() {
        match lately(track) {
            true => last.push(place),
            false => first.push(place),
        }
    }
    first.shuffle(rng);
    first.append(&mut last);
    queue.upcoming = queue.upcoming.select(first);
}
