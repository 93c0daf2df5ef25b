//! The audit log comes first: what a repair adds to it is chained to the row before, which has to be the one that was written.

use super::Holes;
use super::report::{Repairs, RowOutcome, Told};
use super::rest::Rest;
use super::source::Source;
use super::wrong::check_structure;
use crate::attempt::TRIES;
use crate::codec::note;
use crate::engine::Engine;
use crate::error::Result;
use crate::model::Action;
use crate::store::Rows;

impl Engine {
    /// Brings back the rows of the log that sources have.
    pub(super) fn bring_log(
        &self,
        sources: &[Source<'_>],
        holes: Holes,
        repairs: &mut Repairs,
    ) -> Result<()> {
        if sources.is_empty() {
            return Ok(());
        }
        let store = &self.store().info().id;
        // Where others keep adding to it, what is left comes with the rest.
        for _ in 0..TRIES {
            let view = self.raw_view()?;
            let mut rest = Rest::of(&*view, store, sources, holes, self.now());
            rest.notes_of(note::AUDIT)?;
            let (mut exchange, mut report) = (rest.exchange, rest.report);
            if exchange.put == Rows::default() {
                return Ok(());
            }
            check_structure(&*view)?;
            // Of those that nobody has, the rest tells.
            report.retain(|row| row.outcome == RowOutcome::FromSource);
            let said = self.said(Action::Repair);
            let words = format!("{} rows of the audit log", report.len());
            exchange.say.push(said.note(words));
            if self.apply(vec![(exchange, Told::Rows(report))], holes, repairs)? {
                return Ok(());
            }
        }
        Ok(())
    }
}
