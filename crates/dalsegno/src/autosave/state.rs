//! A state that is to be saved by itself, or handed over.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use crate::document::Document;
use crate::engine::Engine;
use crate::error::Result;
use crate::job::Content;
use crate::save::Save;

/// A state that is to be saved.
pub struct State {
    pub(super) content: Content,
    pub(super) intent: Option<String>,
}

impl State {
    /// A value, as compact JSON.
    ///
    /// # Errors
    /// `InvalidInput` for what has no form in JSON.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        Content::of(value).map(Self::new)
    }

    /// JSON text, which is kept byte for byte.
    pub fn json(text: impl Into<Bytes>) -> Self {
        Self::new(Content::Text(text.into()))
    }

    /// The save of it.
    pub(crate) fn into_save<'a>(self, engine: &'a Engine, session: &str) -> Save<'a> {
        let save = Save::new(engine, session, Ok(self.content));
        match self.intent {
            Some(words) => save.intent(words),
            None => save,
        }
    }

    /// A document whose parts are shared with the states before it: see [`DocumentBuilder`](crate::DocumentBuilder).
    #[must_use]
    pub fn document(document: Document) -> Self {
        Self::new(Content::Document(Arc::new(document)))
    }

    /// Says that items are missing on purpose, and why: see [`Save::intent`]. Said of a state that could not
    /// be saved, it goes with the next one.
    #[must_use]
    pub fn intent(mut self, words: impl Into<String>) -> Self {
        self.intent = Some(words.into());
        self
    }

    fn new(content: Content) -> Self {
        Self {
            content,
            intent: None,
        }
    }
}
