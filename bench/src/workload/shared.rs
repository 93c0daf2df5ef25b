//! The queue and the chat as programs hold them whose lists are the engine's shared ones.
//!
//! A session follows the states of a day by the edits that lead from one to the next: what stays
//! in a list stays the same element, which remembers its JSON.

use dalsegno::{Document, DocumentBuilder, List, Result};
use serde::Serialize;

use super::chat::{ChatState, Message};
use super::player::QueueState;
use super::track::Track;

/// A session whose lists are shared with its earlier states: a clone is a snapshot.
pub trait Shared: Clone {
    /// The typed state it follows.
    type State;

    /// A session in that state.
    fn new(state: &Self::State) -> Self;

    /// The edits that lead to that state.
    fn follow(&mut self, state: &Self::State);

    /// What is saved; its text is the compact JSON of the typed state.
    fn document(&self) -> Result<Document>;
}

/// A player.
#[derive(Debug, Clone)]
pub struct SharedQueue {
    /// All but the two long lists, which are empty here.
    rest: QueueState,
    upcoming: List<Track>,
    history: List<Track>,
}

impl Shared for SharedQueue {
    type State = QueueState;

    fn new(state: &QueueState) -> Self {
        Self {
            rest: without_lists(state),
            upcoming: state.queue.upcoming.iter().cloned().collect(),
            history: state.queue.history.iter().cloned().collect(),
        }
    }

    fn follow(&mut self, state: &QueueState) {
        self.rest = without_lists(state);
        follow(&mut self.upcoming, &state.queue.upcoming);
        follow(&mut self.history, &state.queue.history);
    }

    fn document(&self) -> Result<Document> {
        let state = &self.rest;
        let document = DocumentBuilder::new()
            .member("guild_id", &state.guild_id)?
            .member("timestamp", &state.timestamp)?
            .member("version", &state.version)?
            .member("player", &state.player)?
            .object("queue", |queue| {
                queue
                    .member("current", &state.queue.current)?
                    .list("upcoming", &self.upcoming)?
                    .list("history", &self.history)?
                    .member("loop_mode", &state.queue.loop_mode)?
                    .member("shuffle_enabled", &state.queue.shuffle_enabled)
            })?
            .member("filters", &state.filters)?
            .member("autoplay", &state.autoplay)?
            .member("plugins", &state.plugins)?
            .member("guild_settings", &state.guild_settings)?
            .finish();
        Ok(document)
    }
}

fn without_lists(state: &QueueState) -> QueueState {
    let mut rest = state.clone();
    rest.queue.upcoming = Vec::new();
    rest.queue.history = Vec::new();
    rest
}

/// A chat.
#[derive(Debug, Clone)]
pub struct SharedChat {
    /// All but the messages.
    rest: ChatState,
    messages: List<Message>,
}

impl Shared for SharedChat {
    type State = ChatState;

    fn new(state: &ChatState) -> Self {
        Self {
            rest: without_messages(state),
            messages: state.messages.iter().cloned().collect(),
        }
    }

    fn follow(&mut self, state: &ChatState) {
        self.rest = without_messages(state);
        follow(&mut self.messages, &state.messages);
    }

    fn document(&self) -> Result<Document> {
        let state = &self.rest;
        let document = DocumentBuilder::new()
            .member("session_id", &state.session_id)?
            .member("title", &state.title)?
            .member("workspace", &state.workspace)?
            .member("model", &state.model)?
            .member("created_at", &state.created_at)?
            .member("updated_at", &state.updated_at)?
            .member("pinned", &state.pinned)?
            .member("archived", &state.archived)?
            .member("input_tokens", &state.input_tokens)?
            .member("output_tokens", &state.output_tokens)?
            .member("estimated_cost", &state.estimated_cost)?
            .list("messages", &self.messages)?
            .finish();
        Ok(document)
    }
}

fn without_messages(state: &ChatState) -> ChatState {
    ChatState {
        messages: Vec::new(),
        ..state.clone()
    }
}

/// Makes `list` what `wanted` is, keeping the elements that stay: what left is dropped, what is new
/// is put in its place, what moved is moved.
fn follow<T: Clone + PartialEq + Serialize>(list: &mut List<T>, wanted: &[T]) {
    for (at, value) in wanted.iter().enumerate() {
        let rest = wanted.get(at..).unwrap_or_default();
        while list.get(at).is_some_and(|here| !rest.contains(here)) {
            list.shift(at, 0);
            list.drop_front();
        }
        let found = (at..list.len()).find(|&from| list.get(from) == Some(value));
        let from = found.unwrap_or_else(|| {
            list.push_back(value.clone());
            list.len() - 1
        });
        if from != at {
            list.shift(from, at);
        }
    }
    list.truncate(wanted.len());
}

#[cfg(test)]
mod tests {
    use super::super::Document as _;
    use super::super::chat::ChatDay;
    use super::super::queue::QueueDay;
    use super::*;

    #[test]
    fn a_list_follows_any_edits() {
        let mut list: List<u32> = (0..6).collect();
        let steps: [&[u32]; 7] = [
            &[1, 2, 3, 4, 5, 0],
            &[2, 3, 9, 4, 5, 0, 7],
            &[7, 0, 5, 4, 9, 3, 2],
            &[5, 4, 4, 9],
            &[8],
            &[],
            &[3, 3, 1],
        ];
        for wanted in steps {
            follow(&mut list, wanted);
            assert_eq!(list.iter().copied().collect::<Vec<_>>(), wanted);
        }
    }

    /// Follows a day; each document has the text of the typed state.
    fn follows<S: Shared>(mut states: impl Iterator<Item = S::State>)
    where
        S::State: super::super::Document,
    {
        let first = states.next().expect("a state");
        let mut session = S::new(&first);
        let mut text = session.document().expect("builds").to_text();
        assert_eq!(text, first.compact());
        for state in states {
            session.follow(&state);
            text = session.document().expect("builds").to_text();
            assert!(text == state.compact());
        }
    }

    #[test]
    fn a_shared_session_has_the_text_of_its_state() {
        follows::<SharedQueue>(QueueDay::with(1, 30, 288));
        follows::<SharedChat>(ChatDay::with(1, 4, 120, 100));
    }
}
