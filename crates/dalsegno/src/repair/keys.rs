//! Keys of sessions whose rows are damaged.

use super::Holes;
use super::report::{Repairs, Told};
use super::session::Session;
use super::source::{Source, passed_over};
use super::survey::Survey;
use super::wrong::check_structure;
use crate::attempt::TRIES;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::Action;
use crate::store::Exchange;

impl Engine {
    /// In an encrypted store, records open with the key that stands in their session's row: it comes first. Whether any
    /// came.
    pub(super) fn bring_keys(
        &self,
        sources: &[Source<'_>],
        holes: Holes,
        repairs: &mut Repairs,
    ) -> Result<bool> {
        if !self.is_encrypted() || sources.is_empty() {
            return Ok(false);
        }
        let mut any = false;
        for _ in 0..TRIES {
            let piece = self.keys_to_bring(sources, holes)?;
            if piece.is_empty() {
                return Ok(any);
            }
            any = true;
            let piece = piece.into_iter().map(|it| (it, Told::Nothing)).collect();
            if self.apply(piece, holes, repairs)? {
                return Ok(any);
            }
        }
        // Without its key, every record of a session would count as damaged.
        Err(Error::conflict(format!(
            "other programs changed the store {TRIES} times in between; try again"
        )))
    }

    fn keys_to_bring(&self, sources: &[Source<'_>], holes: Holes) -> Result<Vec<Exchange>> {
        let store = &self.store().info().id;
        let view = self.raw_view()?;
        let view = &*view;
        check_structure(view)?;
        let survey = Survey::of(view, store)?;
        let mut piece = Vec::new();
        for (number, stand) in &survey.sessions {
            let held = !holes.alone && self.held_by(view, stand)?.is_some();
            if stand.row_is_intact(store) || held {
                continue;
            }
            let session = Session {
                view,
                store,
                sources,
                number: *number,
                stand,
                holes,
                now: 0,
            };
            if let Some(mut exchange) = session.lost_key()? {
                exchange.say.push(self.said(Action::Repair).of(*number, []));
                piece.push(exchange);
            }
        }
        Ok(piece)
    }
}

impl Session<'_> {
    /// The key of the session from a source, where the one that stands here opens none of its records, and that does. One
    /// that opens nothing is of no use: a store that was made of a backup has other keys than the one that the backup is of.
    fn lost_key(&self) -> Result<Option<Exchange>> {
        let own = passed_over(self.view.session_key(self.number))?.flatten();
        if let Some(own) = own
            && self.view.opens(self.number, &own)?
        {
            return Ok(None);
        }
        for at in self.sources_of()? {
            let Some(source) = self.sources.get(at) else {
                continue;
            };
            let key = passed_over(source.view.session_key(self.number))?.flatten();
            if let (Some(key), Some(row)) = (key, source.session(self.number)?)
                && self.view.opens(self.number, &key)?
            {
                return Ok(Some(self.row_with_key(row.name, key)));
            }
        }
        Ok(None)
    }
}
