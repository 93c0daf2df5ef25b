//! The lists of a player's queue.

use dalsegno::{Error, ErrorKind, Result};
use dalsegno_sonora::{Part, State, Track};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::fail;
use super::player::{SonoraPlayer, json, track};

fn part(history: bool) -> Part {
    if history {
        Part::History
    } else {
        Part::Upcoming
    }
}

#[pymethods]
impl SonoraPlayer {
    fn list_len(&self, py: Python<'_>, history: bool) -> PyResult<usize> {
        Ok(self.state(py)?.queue.list(part(history)).len())
    }

    /// The tracks of a list, as JSON.
    fn list_all<'py>(&self, py: Python<'py>, history: bool) -> PyResult<Bound<'py, PyBytes>> {
        let state = self.state(py)?;
        let tracks: Vec<&Track> = state.queue.list(part(history)).iter().collect();
        json(py, &tracks)
    }

    /// One track, where there is one, as JSON.
    fn list_get<'py>(
        &self,
        py: Python<'py>,
        history: bool,
        index: usize,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let state = self.state(py)?;
        let track = state.queue.list(part(history)).get(index);
        track.map(|track| json(py, track)).transpose()
    }

    fn list_set(&self, py: Python<'_>, history: bool, index: usize, text: &[u8]) -> PyResult<()> {
        let track = track(py, text)?;
        self.edit(py, Some("replace"), |state| {
            state.queue.set(part(history), index, track)
        })
    }

    fn list_insert(
        &self,
        py: Python<'_>,
        history: bool,
        index: usize,
        text: &[u8],
    ) -> PyResult<()> {
        let track = track(py, text)?;
        self.edit(py, None, |state| {
            state.queue.insert(part(history), index, track)
        })
    }

    fn list_remove<'py>(
        &self,
        py: Python<'py>,
        history: bool,
        index: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let removed = self.edit(py, Some("remove"), |state| {
            state.queue.remove(part(history), index)
        })?;
        json(py, &removed)
    }

    fn list_clear(&self, py: Python<'_>, history: bool) -> PyResult<usize> {
        self.edit(py, Some("clear"), |state| {
            Ok(state.queue.clear(part(history)))
        })
    }

    /// Makes a list of these tracks.
    fn list_assign(&self, py: Python<'_>, history: bool, texts: Vec<Vec<u8>>) -> PyResult<()> {
        let tracks = texts.iter().map(|text| track(py, text));
        let tracks: Vec<Track> = tracks.collect::<PyResult<_>>()?;
        self.edit(py, Some("replace"), |state| {
            let part = part(history);
            state.queue.clear(part);
            for (index, track) in tracks.into_iter().enumerate() {
                let end = state.queue.list(part).len().min(index);
                state.queue.insert(part, end, track)?;
            }
            Ok(())
        })
    }

    /// Adds upcoming tracks, all or none; how many.
    fn add(&self, py: Python<'_>, texts: Vec<Vec<u8>>, position: Option<usize>) -> PyResult<usize> {
        let tracks = texts.iter().map(|text| track(py, text));
        let tracks: Vec<Track> = tracks.collect::<PyResult<_>>()?;
        self.edit(py, None, |state| state.queue.add_many(tracks, position))
    }

    /// Moves an upcoming track.
    fn shift(&self, py: Python<'_>, from_: usize, to: usize) -> PyResult<()> {
        self.edit(py, None, |state| state.queue.shift(from_, to))
    }

    /// Puts the upcoming tracks in this order, which names each of them once.
    fn reorder(&self, py: Python<'_>, order: Vec<usize>) -> PyResult<()> {
        let mut known = order.clone();
        known.sort_unstable();
        if known.iter().enumerate().any(|(index, at)| index != *at) {
            return Err(fail::invalid(py, "an order names each track once"));
        }
        self.edit(py, None, |state| ordered(state, &order))
    }
}

fn ordered(state: &mut State, order: &[usize]) -> Result<()> {
    if order.len() != state.queue.upcoming.len() {
        let message = "the queue was changed meanwhile; try again";
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    state.queue.upcoming = state.queue.upcoming.select(order.iter().copied());
    Ok(())
}
