//! One look at the whole store, and what follows from it.

use std::collections::BTreeSet;

use super::Holes;
use super::erased::Erased;
use super::report::{Repairs, SessionRepairs, Told};
use super::rest::Rest;
use super::session::{Planned, Session};
use super::source::Source;
use super::survey::{Stand, Survey};
use super::wrong::{check_structure, is_wrong};
use crate::engine::Engine;
use crate::error::{ErrorKind, Result};
use crate::lease::{self, Standing};
use crate::model::Action;
use crate::store::{Exchange, Flow, Rows, View};

/// So many bytes of rows are put together before they are written.
const PIECE: usize = 64 << 20;

impl Engine {
    /// One look at the whole store, and what follows from it; whether all of it was done.
    pub(super) fn round(
        &self,
        sources: &[Source<'_>],
        holes: Holes,
        apply: bool,
        repairs: &mut Repairs,
        progress: &mut dyn FnMut(&str),
    ) -> Result<bool> {
        let store = &self.store().info().id;
        let now = self.now().as_microsecond();
        let view = self.raw_view()?;
        let view = &*view;
        check_structure(view)?;
        let mut survey = Survey::of(view, store)?;
        if holes.sessions {
            self.missing_sessions(view, sources, &mut survey)?;
        }
        let mut piece = Vec::new();
        let mut done = true;
        for (number, stand) in &survey.sessions {
            let session = Session {
                view,
                store,
                sources,
                number: *number,
                stand,
                holes,
                now,
            };
            progress(stand.row.as_ref().map_or("", |row| &row.name));
            if !is_wrong(view, store, sources, *number, stand)? {
                continue;
            }
            if !holes.alone
                && let Some(held) = self.held_by(view, stand)?
            {
                let (name, _) = session.name(&[])?;
                repairs.sessions.push(SessionRepairs {
                    session: name,
                    held: Some(held),
                    ..SessionRepairs::default()
                });
                continue;
            }
            let Planned {
                mut exchange,
                report,
                touched,
            } = session.plan()?;
            if exchange.take == Rows::default() && exchange.put == Rows::default() {
                if !report.lost.is_empty() {
                    repairs.sessions.push(report);
                }
                continue;
            }
            let said = self.said(Action::Repair).of(*number, touched);
            exchange.say.push(said.note(sentence(&report)));
            piece.push((exchange, Told::Session(report)));
            if apply && bytes(&piece) > PIECE {
                done &= self.apply(std::mem::take(&mut piece), holes, repairs)?;
            }
        }
        let mut rest = Rest::of(view, store, sources, holes, self.now());
        rest.plan(&survey)?;
        let Rest {
            mut exchange,
            report,
            ..
        } = rest;
        if exchange.take != Rows::default() || exchange.put != Rows::default() {
            let said = self.said(Action::Repair);
            exchange
                .say
                .push(said.note(format!("{} rows that are of no session", report.len())));
            piece.push((exchange, Told::Rows(report)));
        } else {
            repairs.rows.extend(report);
        }
        if apply {
            done &= self.apply(piece, holes, repairs)?;
        } else {
            piece.into_iter().for_each(|(_, told)| repairs.add(told));
        }
        Ok(done)
    }

    /// Keeps the rows that go, and carries out what was planned; whether nobody came between.
    pub(super) fn apply(
        &self,
        piece: Vec<(Exchange, Told)>,
        holes: Holes,
        repairs: &mut Repairs,
    ) -> Result<bool> {
        if piece.is_empty() {
            return Ok(true);
        }
        // Of a file that was built anew, the old one is kept as a whole.
        if !holes.alone {
            let aside = self.keep_aside(piece.iter().map(|(exchange, _)| &exchange.take))?;
            repairs.aside.extend(aside);
        }
        let mut all = true;
        for (exchange, told) in piece {
            let done = self.store().exchange(&exchange);
            let done = done.map_err(|error| error.partly(!repairs.is_nothing()))?;
            if done {
                repairs.add(told);
            }
            all &= done;
        }
        Ok(all)
    }

    /// The program that has the session open, where that is another one.
    pub(super) fn held_by(&self, view: &dyn View, stand: &Stand) -> Result<Option<String>> {
        let store = &self.store().info().id;
        let Some(row) = &stand.row else {
            return Ok(None);
        };
        if let Standing::Holder(_) = self.leases().standing(&row.name) {
            return Ok(None);
        }
        let found = match lease::rows::lease(view, store, row.id) {
            // Nobody can say who has it: whoever it is will look again.
            Err(error) if error.kind() == ErrorKind::Damaged => return Ok(None),
            found => found?,
        };
        let Some(found) = found else { return Ok(None) };
        let holder = lease::rows::holder(view, store, &found.lease, self.clock())?;
        Ok(holder.as_ref().map(lease::rows::shown))
    }

    /// Sessions whose rows went without a trace, where that may be: those that a source has, and nobody erased.
    fn missing_sessions(
        &self,
        view: &dyn View,
        sources: &[Source<'_>],
        survey: &mut Survey,
    ) -> Result<()> {
        let mut names = BTreeSet::new();
        view.sessions(&mut |row| {
            names.insert(row.name);
            Flow::Continue(())
        })?;
        let graves = Erased::read(view, sources, &self.store().info().id)?;
        for source in sources {
            for row in source.sessions()? {
                let known = survey.sessions.contains_key(&row.id) || names.contains(&row.name);
                if known || graves.has(&row, source)? {
                    continue;
                }
                names.insert(row.name);
                survey.sessions.insert(row.id, Stand::default());
            }
        }
        Ok(())
    }
}

/// About how much is to be written.
fn bytes(piece: &[(Exchange, Told)]) -> usize {
    let of = |rows: &Rows| rows.records.iter().map(|row| row.data.len()).sum::<usize>();
    piece.iter().map(|(exchange, _)| of(&exchange.put)).sum()
}

fn sentence(report: &SessionRepairs) -> String {
    let lost: Vec<String> = report
        .lost
        .iter()
        .map(|lost| lost.snapshot.to_string())
        .collect();
    match lost.len() {
        0 => format!("{} repaired", report.snapshots.len()),
        _ => format!(
            "{} repaired; lost: {}",
            report.snapshots.len(),
            lost.join(", ")
        ),
    }
}
