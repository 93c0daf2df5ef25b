//! Who may do what.

use dalsegno::Rule;
use pyo3::prelude::*;

use crate::error;
use crate::handle::Handle;
use crate::show::show;

#[pymethods]
impl Handle {
    fn principals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let principals = self.run(py, dalsegno::Engine::principals)?;
        show(py, &principals)
    }

    /// The token, as it is written.
    fn add_principal(&self, py: Python<'_>, name: &str, rules: Vec<String>) -> PyResult<String> {
        let rules = read(py, &rules)?;
        let token = self.run(py, |engine| engine.add_principal(name, &rules))?;
        Ok(token.to_text().to_owned())
    }

    fn set_rules(&self, py: Python<'_>, name: &str, rules: Vec<String>) -> PyResult<()> {
        let rules = read(py, &rules)?;
        self.run(py, |engine| engine.set_rules(name, &rules))
    }

    fn new_token(&self, py: Python<'_>, name: &str) -> PyResult<String> {
        let token = self.run(py, |engine| engine.new_token(name))?;
        Ok(token.to_text().to_owned())
    }

    fn remove_principal(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.run(py, |engine| engine.remove_principal(name))
    }

    fn reset_access(&self, py: Python<'_>) -> PyResult<u64> {
        self.run(py, dalsegno::Engine::reset_access)
    }

    fn has_principals(&self, py: Python<'_>) -> PyResult<bool> {
        self.run(py, dalsegno::Engine::has_principals)
    }
}

fn read(py: Python<'_>, rules: &[String]) -> PyResult<Vec<Rule>> {
    let rules = rules.iter().map(|rule| rule.parse());
    rules
        .collect::<dalsegno::Result<_>>()
        .map_err(|e| error::raise(py, &e))
}
