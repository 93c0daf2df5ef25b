//! How near tracks are to each other.

use std::collections::HashSet;

use crate::track::Track;

/// Words that say nothing about the music.
const EMPTY: [&str; 20] = [
    "a",
    "and",
    "audio",
    "by",
    "feat",
    "ft",
    "full",
    "hd",
    "hq",
    "in",
    "live",
    "lyric",
    "lyrics",
    "music",
    "of",
    "official",
    "the",
    "video",
    "visualizer",
    "with",
];

/// Whether both are the same song for whoever hears it: the same recording, or of the same name by the same people.
pub(super) fn same_song(one: &Track, two: &Track) -> bool {
    let named = !one.info.title.is_empty() && !one.info.author.is_empty();
    one.is(two) || named && one.info.title == two.info.title && one.info.author == two.info.author
}

/// The words of a title that say something, in order.
pub(super) fn words(title: &str) -> Vec<String> {
    let lower = title.to_lowercase();
    let words = lower.split(|character: char| !character.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty() && !EMPTY.contains(word));
    words.map(str::to_owned).collect()
}

/// How near the artists are, from 0 to 1.
pub(super) fn artists(one: &Track, two: &Track) -> f64 {
    let (one, two) = (
        one.info.author.to_lowercase(),
        two.info.author.to_lowercase(),
    );
    if one.is_empty() || two.is_empty() {
        0.0
    } else if one == two {
        1.0
    } else if one.contains(&two) || two.contains(&one) {
        0.7
    } else {
        0.0
    }
}

/// How many of the words of both titles are in each, from 0 to 1.
pub(super) fn titles(one: &Track, two: &Track) -> f64 {
    let [one, two] =
        [one, two].map(|track| words(&track.info.title).into_iter().collect::<HashSet<_>>());
    let all = one.union(&two).count();
    match all {
        0 => 0.0,
        _ => one.intersection(&two).count() as f64 / all as f64,
    }
}

/// Artist and title together, from 0 to 1. The artist says more.
pub(super) fn both(one: &Track, two: &Track) -> f64 {
    0.6 * artists(one, two) + 0.4 * titles(one, two)
}
