//! Which lists of which sessions are guarded: rules that the store keeps.

use crate::attempt::until_done;
use crate::audit::set_or_removed;
use crate::codec::note;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::guard::GuardPolicy;
use crate::model::Action;
use crate::shrink::notes;
use crate::store::{Exchange, NoteRow};

impl Engine {
    /// The guards that the store keeps, in the order in which they were made.
    ///
    /// # Errors
    /// `Damaged` where one is not as it was written.
    pub fn guards(&self) -> Result<Vec<GuardPolicy>> {
        let id = &self.store().info().id;
        let rows = notes::rows(&*self.view()?)?;
        rows.iter().map(|row| notes::read(row, id)).collect()
    }

    /// Guards lists of the sessions of a pattern from the next save on, of every program, in the place of the guard of
    /// the same pattern.
    ///
    /// ```
    /// use dalsegno::guard::{GuardPolicy, GuardRule};
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let engine = dalsegno::Engine::create(folder.path().join("store.db"))?;
    ///
    /// engine.set_guard(&GuardPolicy::new("chat/*").list(GuardRule::new("messages")))?;
    ///
    /// engine.save("chat/1", &serde_json::json!({"messages": ["a", "b", "c"]})).commit()?;
    /// engine.save("chat/1", &serde_json::json!({"messages": []})).commit()?;
    /// let status = engine.guard_status("chat/1")?;
    /// assert_eq!(status.judgement.reason, "messages: 3 of 3 lost; nothing is newer");
    ///
    /// engine.guard_restore("chat/1", None)?.apply()?;
    /// assert_eq!(engine.restore("chat/1@latest")?.text(), br#"{"messages":["a","b","c"]}"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` where the pattern or a list makes no sense.
    pub fn set_guard(&self, guard: &GuardPolicy) -> Result<()> {
        guard.check()?;
        let text = serde_json::to_string(guard)
            .map_err(|e| Error::invalid("the guard cannot be written as JSON").with_source(e))?;
        let detail = note::encode(&text)?;
        self.change_guard(&guard.pattern, Some(detail)).map(|_| ())
    }

    /// Removes the guard of that pattern, as the store keeps it. What it kept stays.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub fn remove_guard(&self, pattern: &str) -> Result<()> {
        if self.change_guard(pattern, None)? {
            return Ok(());
        }
        Err(Error::not_found(format!(
            "the store has no guard for '{pattern}'; `guard list` shows those there are"
        )))
    }

    /// Puts another guard in the place of the one of that pattern, and says whether there was one. One that is
    /// damaged may have been of any pattern: it goes as well.
    fn change_guard(&self, pattern: &str, detail: Option<Vec<u8>>) -> Result<bool> {
        self.allow(Action::GuardRule, None)?;
        let id = &self.store().info().id;
        until_done("the guards", || {
            let rows = notes::rows(&*self.view()?)?;
            let last = rows.last().map_or(0, |row| row.id);
            let (old, _): (Vec<NoteRow>, Vec<NoteRow>) = rows.into_iter().partition(|row| {
                notes::read(row, id).map_or(true, |guard| guard.pattern == pattern)
            });
            let there = !old.is_empty();
            let place = old.first().map_or(last + 1, |row| row.id);
            let new = detail.clone();
            let new = new.map(|detail| NoteRow::new((note::GUARD, 0, place), detail, id));
            let said = self.said(Action::GuardRule).note(set_or_removed(&new));
            let exchange = Exchange::of_notes(old, new.into_iter().collect()).say(said);
            Ok(self.store().exchange(&exchange)?.then_some(there))
        })
    }
}
