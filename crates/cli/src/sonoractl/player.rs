//! A player in words.

use dalsegno_sonora::LiveQueue;

use crate::human;

/// A place in a track: `1:05`, `1:02:03`.
pub(super) fn place(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A number of tracks.
pub(super) fn tracks(number: usize) -> String {
    human::count(number as u64, "track")
}

/// What plays, and where.
pub(super) fn current(title: Option<&str>, position: u64) -> String {
    match title {
        Some(title) => format!("{} at {}", human::safe(title), place(position)),
        None => "nothing plays".to_owned(),
    }
}

/// What a player holds, on one line.
pub(super) fn line(queue: &LiveQueue) -> String {
    format!(
        "{}, {} upcoming, {} in the history",
        current(queue.current.as_deref(), queue.position),
        tracks(queue.upcoming),
        queue.history
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_as_clocks_do() {
        assert_eq!(
            [0, 65_999, 3_723_000].map(place),
            ["0:00", "1:05", "1:02:03"]
        );
    }
}
