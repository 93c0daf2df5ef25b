//! Keys of sessions whose rows are damaged.

use super::Holes;
use super::report::Repairs;
use super::session::Session;
use super::source::{self, Source};
use super::survey::Survey;
use super::wrong::check_structure;
use crate::engine::Engine;
use crate::error::Result;
use crate::model::Action;

impl Engine {
    /// In an encrypted store, records open with the key that stands in their session's row: it comes first.
    pub(super) fn bring_keys(
        &self,
        sources: &[Source<'_>],
        holes: Holes,
        repairs: &mut Repairs,
    ) -> Result<bool> {
        if !self.is_encrypted() || sources.is_empty() {
            return Ok(false);
        }
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
            let of = session.sources_of()?;
            for at in of {
                let Some(source) = sources.get(at) else {
                    continue;
                };
                let key = source::passed_over(source.view.session_key(*number))?.flatten();
                let (Some(key), Some(row)) = (key, source.session(*number)?) else {
                    continue;
                };
                let mut exchange = session.row_with_key(row.name, key);
                exchange.say.push(self.said(Action::Repair).of(*number, []));
                piece.push((exchange, None));
                break;
            }
        }
        let any = !piece.is_empty();
        self.apply(piece, holes, repairs)?;
        Ok(any)
    }
}
