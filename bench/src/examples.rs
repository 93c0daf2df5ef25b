//! The example sessions: the last state of a queue, a game and a chat.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workload::chat::{ChatDay, Voice};
use crate::workload::game::GameDay;
use crate::workload::queue::QueueDay;
use crate::workload::{Document, SAVES_PER_DAY};

/// The seed of the committed examples.
const SEED: u64 = 1;

/// Messages of the example chat.
const MESSAGES: usize = 500;

/// Writes `player.json` and `game.json` (indented) and `chat.json` (compact), so that both layouts
/// are shown.
pub fn write(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let player = QueueDay::new(SEED).last().context("a day has saves")?;
    let game = GameDay::new(SEED).last().context("a game has turns")?;
    let chat = ChatDay::spoken(Voice::Readable, SEED, 4, MESSAGES, SAVES_PER_DAY);
    let chat = chat.last().context("a day has saves")?;
    fs::write(folder.join("player.json"), player.indented())?;
    fs::write(folder.join("game.json"), game.indented())?;
    fs::write(folder.join("chat.json"), chat.compact())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::chat::ChatState;
    use crate::workload::game::GameState;
    use crate::workload::player::QueueState;

    #[test]
    fn the_examples_are_what_they_say() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path()).expect("writes");
        let read = |name: &str| fs::read(folder.path().join(name)).expect(name);
        let player: QueueState = serde_json::from_slice(&read("player.json")).expect("parses");
        assert_eq!(player.queue.upcoming.len(), 200);
        let game: GameState = serde_json::from_slice(&read("game.json")).expect("parses");
        assert_eq!(game.turn_count, 120);
        let chat: ChatState = serde_json::from_slice(&read("chat.json")).expect("parses");
        assert_eq!(chat.messages.len(), 500);
        assert!(!read("chat.json").contains(&b'\n'));
        let files = ["player.json", "game.json", "chat.json"];
        assert!(files.map(|name| read(name).len()).iter().sum::<usize>() < 1_500_000);
    }

    #[test]
    fn the_committed_examples_are_these() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/sessions");
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path()).expect("writes");
        for name in ["player.json", "game.json", "chat.json"] {
            let read = |folder: &Path| fs::read(folder.join(name)).expect(name);
            let same = read(&committed) == read(folder.path());
            assert!(
                same,
                "{name} is not up to date: run `make-examples examples/sessions`"
            );
        }
    }
}
