//! A web UI's chat session that grows by exchanges.

use serde::{Deserialize, Serialize};

use super::SAVES_PER_DAY;
use super::random::Dice;
use super::time::{DAY_START_MS, SAVE_INTERVAL_MS, seconds};
use writer::Writer;

pub mod writer;

/// The edit rates of [`ChatDay`].
pub const RATES: &str = "a chat saved 288 times a day: messages are only added at the end (user \
and assistant in turn, about 4 a save when it grows to 1,135 in a day; 800-1,500 bytes each on \
average, English with markdown, code, logs, numbers and addresses); updated_at and the token \
counters change in every save; 1 save in 25 regenerates (replaces) the last assistant message, \
1 in 100 undoes the last two messages";

/// Messages at the end of the day of [`ChatDay::new`].
pub const DAY_MESSAGES: usize = 1135;

const START_MESSAGES: usize = 4;
const START_GAP_MS: u64 = 40_000;
const WINDOW_TOKENS: u64 = 32_000;
const REGENERATE: f64 = 1.0 / 25.0;
const UNDO: f64 = 1.0 / 100.0;

/// A chat session as the web UI keeps it in one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the web UI's")]
pub struct ChatState {
    pub session_id: String,
    pub title: String,
    pub workspace: String,
    pub model: String,
    pub created_at: f64,
    pub updated_at: f64,
    pub pinned: bool,
    pub archived: bool,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub estimated_cost: f64,
    pub messages: Vec<Message>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the web UI's")]
pub struct Message {
    pub role: Role,
    pub content: String,
    pub timestamp: f64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usage: Option<Usage>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the web UI's")]
pub enum Role {
    User,
    Assistant,
}

/// What an answer cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the web UI's")]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
}

/// How a chat is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// With the statistics of real text, which is what a measure of compression needs. The
    /// sentences are grammatical, and mean nothing.
    Statistical,
    /// To be read by people: repeats its phrases, hence compresses better than real text.
    Readable,
}

/// The states of a chat, one per save.
#[derive(Debug)]
pub struct ChatDay {
    dice: Dice,
    writer: Writer,
    state: ChatState,
    context_tokens: u64,
    start: usize,
    end: usize,
    save: usize,
    saves: usize,
}

impl ChatDay {
    /// A day (288 saves) in which the chat grows to 1,135 messages.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with(seed, START_MESSAGES, DAY_MESSAGES, SAVES_PER_DAY)
    }

    /// A day (288 saves) in which the chat grows to `messages`.
    #[must_use]
    pub fn growing_to(seed: u64, messages: usize) -> Self {
        Self::with(seed, START_MESSAGES, messages, SAVES_PER_DAY)
    }

    /// A chat that grows from `start` to `end` messages over `saves` saves.
    #[must_use]
    pub fn with(seed: u64, start: usize, end: usize, saves: usize) -> Self {
        Self::spoken(Voice::Statistical, seed, start, end, saves)
    }

    /// The same in a voice of choice.
    #[must_use]
    pub fn spoken(voice: Voice, seed: u64, start: usize, end: usize, saves: usize) -> Self {
        let mut dice = Dice::new(seed, "chat");
        let mut writer = Writer::new(voice, Dice::new(seed, "chat text"));
        let mut day = Self {
            state: ChatState {
                session_id: format!("20261120_000000_{}", dice.hex(6)),
                title: writer.title(),
                workspace: "notes".to_owned(),
                model: "open-large-3".to_owned(),
                created_at: seconds(
                    DAY_START_MS - (start as u64 + 1) * START_GAP_MS,
                    dice.between(0, 999),
                ),
                updated_at: 0.0,
                pinned: false,
                archived: false,
                input_tokens: 0,
                output_tokens: 0,
                estimated_cost: 0.0,
                messages: Vec::with_capacity(end + 2),
            },
            dice,
            writer,
            context_tokens: 0,
            start,
            end,
            save: 0,
            saves,
        };
        day.grow_to(start, DAY_START_MS, START_GAP_MS);
        day
    }

    /// Adds messages up to `count`, one every `gap` milliseconds before `now`.
    fn grow_to(&mut self, count: usize, now: u64, gap: u64) {
        while self.state.messages.len() < count {
            let left = (count - self.state.messages.len()) as u64;
            let at = now - left * gap + self.dice.between(0, gap / 2);
            self.add(at);
        }
    }

    fn add(&mut self, at: u64) {
        let timestamp = seconds(at, self.dice.between(0, 999));
        let last = self.state.messages.last();
        let asks = last.is_none_or(|m| m.role == Role::Assistant);
        let (role, content, usage) = if asks {
            (Role::User, self.writer.question(), None)
        } else {
            let (content, usage) = self.answer();
            (Role::Assistant, content, Some(usage))
        };
        self.context_tokens += tokens(&content);
        self.state.messages.push(Message {
            role,
            content,
            timestamp,
            usage,
        });
    }

    fn answer(&mut self) -> (String, Usage) {
        let content = self.writer.answer();
        // The prompt is the conversation so far, up to a window.
        let usage = Usage {
            input_tokens: self.context_tokens.min(WINDOW_TOKENS) + self.dice.between(40, 900),
            output_tokens: tokens(&content),
        };
        let state = &mut self.state;
        state.input_tokens += usage.input_tokens;
        state.output_tokens += usage.output_tokens;
        state.estimated_cost =
            (state.input_tokens as f64).mul_add(3e-6, state.output_tokens as f64 * 15e-6);
        (content, usage)
    }

    fn regenerate(&mut self, at: u64) {
        if self.state.messages.last().map(|m| m.role) == Some(Role::Assistant) {
            let (content, usage) = self.answer();
            let timestamp = seconds(at, self.dice.between(0, 999));
            if let Some(last) = self.state.messages.last_mut() {
                last.content = content;
                last.usage = Some(usage);
                last.timestamp = timestamp;
            }
        }
    }

    fn step(&mut self, now: u64) {
        if self.dice.chance(UNDO) {
            let kept = self.state.messages.len().saturating_sub(2);
            self.state.messages.truncate(kept.max(1));
        } else if self.dice.chance(REGENERATE) {
            self.regenerate(now - 60_000);
        }
        let steps = (self.saves - 1).max(1);
        let planned = self.start + (self.end - self.start) * self.save / steps;
        let missing = planned.saturating_sub(self.state.messages.len()) as u64;
        self.grow_to(planned, now, SAVE_INTERVAL_MS / missing.max(1));
    }
}

impl Iterator for ChatDay {
    type Item = ChatState;

    fn next(&mut self) -> Option<ChatState> {
        if self.save == self.saves {
            return None;
        }
        let now = DAY_START_MS + self.save as u64 * SAVE_INTERVAL_MS;
        if self.save > 0 {
            self.step(now);
        }
        self.save += 1;
        self.state.updated_at = seconds(now + self.dice.between(0, 40), self.dice.between(0, 999));
        Some(self.state.clone())
    }
}

/// A token has about four bytes.
const fn tokens(text: &str) -> u64 {
    text.len() as u64 / 4
}

/// A chat of `messages` messages at one moment.
#[must_use]
pub fn of_length(seed: u64, messages: usize) -> ChatState {
    let mut day = ChatDay::with(seed, messages, messages, 1);
    day.state.updated_at = seconds(DAY_START_MS, 0);
    day.state
}

#[cfg(test)]
mod tests {
    use super::super::checks::{fingerprint, parses_back};
    use super::super::{Document, Layout};
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_day() {
        let day = |seed| ChatDay::with(seed, 4, 60, 20);
        assert_eq!(fingerprint(day(7)), fingerprint(day(7)));
        assert_ne!(fingerprint(day(7)), fingerprint(day(8)));
    }

    #[test]
    fn states_parse_back() {
        parses_back(ChatDay::with(2, 4, 80, 30));
        parses_back(ChatDay::spoken(Voice::Readable, 2, 4, 80, 30));
    }

    #[test]
    fn nobody_says_nothing() {
        for voice in [Voice::Statistical, Voice::Readable] {
            let chat = ChatDay::spoken(voice, 3, 200, 200, 1)
                .next()
                .expect("one state");
            assert!(chat.messages.iter().all(|m| m.content.len() > 10));
        }
    }

    #[test]
    fn a_day_grows_as_stated() {
        let mut day = ChatDay::new(1);
        assert_eq!(
            day.by_ref()
                .take(1)
                .map(|s| s.messages.len())
                .sum::<usize>(),
            4
        );
        let mut shrunk = 0;
        let mut before = 4;
        let mut last = None;
        for state in day {
            shrunk += usize::from(state.messages.len() < before);
            before = state.messages.len();
            last = Some(state);
        }
        let last = last.expect("288 states");
        assert_eq!(last.messages.len(), DAY_MESSAGES);
        assert_eq!(
            shrunk, 0,
            "an undone exchange is replaced within the same five minutes"
        );
        let mean = last.compact().len() / DAY_MESSAGES;
        assert!((800..=1500).contains(&mean), "{mean} bytes a message");
    }

    #[test]
    fn the_text_is_about_as_compressible_as_real_chats() {
        let text = of_length(1, 1000).text(Layout::Compact);
        let packed = zstd::bulk::compress(&text, 3).expect("compresses");
        let ratio = text.len() as f64 / packed.len() as f64;
        assert!(
            (2.4..3.3).contains(&ratio),
            "zstd -3 packs it {ratio:.2} times"
        );
    }
}
