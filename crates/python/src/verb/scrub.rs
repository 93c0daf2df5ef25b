//! Proving the store again and again.

use std::sync::Arc;

use dalsegno::Scrub;
use pyo3::prelude::*;

use crate::error;
use crate::handle::Handle;
use crate::scrub::{Scrubbing, Scrubs};

#[pymethods]
impl Handle {
    #[pyo3(signature = (*, rate, once))]
    fn scrub(&self, py: Python<'_>, rate: u64, once: bool) -> PyResult<Scrubbing> {
        let how = Scrub::default().rate(rate);
        let how = if once { how.once() } else { how };
        let started = self
            .kept
            .call(py, |engine| Ok(Scrubs::start(&engine, how)))?;
        let scrubs = Arc::new(started.map_err(|e| error::raise(py, &e))?);
        self.kept.prove(py, &scrubs);
        Ok(Scrubbing::of(scrubs))
    }
}
