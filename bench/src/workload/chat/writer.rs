//! Writes the messages of a chat.

use super::Voice;
use crate::workload::grammar::Kept;
use crate::workload::random::Dice;
use crate::workload::voice::{GARDEN, PROSE};

/// Words an answer may use, and the sections to take them from.
const FALLBACKS: [(&str, &str); 5] = [
    ("plant", "plant"),
    ("other", "plant"),
    ("spot", "spot"),
    ("herb", "herb"),
    ("feed", "feed"),
];

/// A stream of questions and their answers.
#[derive(Debug)]
pub struct Writer {
    voice: Voice,
    dice: Dice,
    topic: String,
    kept: Kept,
}

impl Writer {
    /// A writer in the given voice.
    #[must_use]
    pub fn new(voice: Voice, dice: Dice) -> Self {
        Self {
            voice,
            dice,
            topic: "thanks".to_owned(),
            kept: Kept::new(),
        }
    }

    /// The title of the chat.
    pub fn title(&mut self) -> String {
        match self.voice {
            Voice::Statistical => PROSE.expand("question", &mut self.dice),
            Voice::Readable => "Raised beds, a watering timer and a bit of Python".to_owned(),
        }
    }

    /// What the user says next.
    pub fn question(&mut self) -> String {
        match self.voice {
            Voice::Statistical => self.statistical_question(),
            Voice::Readable => {
                self.kept.clear();
                self.topic = GARDEN.expand("topic", &mut self.dice);
                self.readable("question")
            }
        }
    }

    /// What the assistant answers.
    pub fn answer(&mut self) -> String {
        match self.voice {
            Voice::Statistical => self.statistical_answer(),
            Voice::Readable => self.readable("answer"),
        }
    }

    fn readable(&mut self, part: &str) -> String {
        // A question that names no plant or place leaves the choice to the answer.
        for (word, section) in FALLBACKS {
            if part == "answer" && !self.kept.contains_key(word) {
                let choice = GARDEN.expand(section, &mut self.dice);
                self.kept.insert(word.to_owned(), choice);
            }
        }
        let section = format!("{}_{part}", self.topic);
        GARDEN.expand_with(&section, &mut self.kept, &mut self.dice)
    }

    fn statistical_question(&mut self) -> String {
        let mut text = self.paragraph(0, 5);
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&PROSE.expand("question", &mut self.dice));
        // Now and then a user pastes what they are looking at.
        if self.dice.chance(0.15) {
            text.push_str("\n\n");
            text.push_str(&PROSE.expand("code", &mut self.dice));
        }
        text
    }

    fn statistical_answer(&mut self) -> String {
        let mut text = self.paragraph(1, 5);
        for _ in 0..self.dice.between(2, 7) {
            text.push_str("\n\n");
            let part = match self.dice.between(0, 9) {
                0..=3 => self.paragraph(2, 6),
                4..=5 => self.lines(false, "bullet"),
                6 => self.lines(true, "numbered"),
                7..=8 => PROSE.expand("code", &mut self.dice),
                _ => {
                    let heading = PROSE.expand("heading", &mut self.dice);
                    format!("{heading}\n\n{}", self.paragraph(1, 4))
                }
            };
            text.push_str(&part);
        }
        text
    }

    fn paragraph(&mut self, low: u64, high: u64) -> String {
        let sentences: Vec<String> = (0..self.dice.between(low, high))
            .map(|_| PROSE.expand("sentence", &mut self.dice))
            .collect();
        sentences.join(" ")
    }

    fn lines(&mut self, numbered: bool, section: &str) -> String {
        let lines: Vec<String> = (1..=self.dice.between(3, 7))
            .map(|number| {
                let line = PROSE.expand(section, &mut self.dice);
                if numbered {
                    format!("{number}. {line}")
                } else {
                    line
                }
            })
            .collect();
        lines.join("\n")
    }
}
