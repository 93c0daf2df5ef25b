//! The grammars the generators speak with.

use std::sync::LazyLock;

use super::grammar::Grammar;

/// Titles, artists and albums, all invented.
pub static TRACKS: LazyLock<Grammar> = LazyLock::new(|| read(include_str!("grammar/tracks.txt")));

/// Chat text with the statistics of English, markdown and code: what the measures use.
pub static PROSE: LazyLock<Grammar> = LazyLock::new(|| read(include_str!("grammar/prose.txt")));

/// Chat text that makes sense to a reader: what the example file uses.
pub static GARDEN: LazyLock<Grammar> = LazyLock::new(|| read(include_str!("grammar/garden.txt")));

/// The game master's game.
pub static GAME: LazyLock<Grammar> = LazyLock::new(|| read(include_str!("grammar/game.txt")));

#[expect(
    clippy::expect_used,
    reason = "the grammars are compiled in, and a test reads each of them"
)]
fn read(source: &str) -> Grammar {
    Grammar::parse(source).expect("a compiled-in grammar parses")
}

#[cfg(test)]
mod tests {
    use super::super::random::Dice;
    use super::*;

    #[test]
    fn every_grammar_parses_and_speaks() {
        let mut dice = Dice::new(1, "voices");
        assert!(!TRACKS.expand("version", &mut dice).is_empty());
        assert!(PROSE.expand("sentence", &mut dice).ends_with(['.', ')']));
        for _ in 0..200 {
            let topic = GARDEN.expand("topic", &mut dice);
            for part in ["question", "answer"] {
                let text = GARDEN.expand(&format!("{topic}_{part}"), &mut dice);
                assert!(!text.is_empty(), "{topic} has no {part}");
            }
        }
        for part in ["action", "ruling", "narration"] {
            for kind in ["explore", "talk", "fight"] {
                let text = GAME.expand(&format!("{part}_{kind}"), &mut dice);
                assert!(!text.is_empty(), "no {part} for {kind}");
            }
        }
    }
}
