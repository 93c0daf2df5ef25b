//! Answers of the engine as Python has them: dicts in the order and with the names of the command's `--json`,
//! and times as `datetime`.
//!
//! A serializer makes them, so that a field that is added to an answer needs nothing here.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use serde::ser::{self, Serialize};

/// The name by which `serde_json` hands raw JSON on.
const RAW: &str = "$serde_json::private::RawValue";

/// The fields that are times (UTC). Members of free metadata are not fields, and stay what they are.
const TIMES: [&str; 9] = [
    "created_at",
    "deleted_at",
    "keep_until",
    "at",
    "oldest",
    "newest",
    "since",
    "erased_at",
    "taken_at",
];

/// `answer` as Python has it.
pub(crate) fn show<'py, T: Serialize + ?Sized>(
    py: Python<'py>,
    answer: &T,
) -> PyResult<Bound<'py, PyAny>> {
    answer.serialize(Shower(py)).map_err(|Failed(error)| error)
}

/// A failure on the Python side, such as no memory.
#[derive(Debug)]
struct Failed(PyErr);

impl From<PyErr> for Failed {
    fn from(error: PyErr) -> Self {
        Self(error)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

impl ser::Error for Failed {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(pyo3::exceptions::PyRuntimeError::new_err(
            message.to_string(),
        ))
    }
}

type Shown<'py> = Result<Bound<'py, PyAny>, Failed>;

#[derive(Clone, Copy)]
struct Shower<'py>(Python<'py>);

macro_rules! scalars {
    ($($name:ident: $type:ty),*) => {
        $(fn $name(self, value: $type) -> Shown<'py> {
            Ok(value.into_bound_py_any(self.0)?)
        })*
    };
}

impl<'py> ser::Serializer for Shower<'py> {
    type Ok = Bound<'py, PyAny>;
    type Error = Failed;
    type SerializeSeq = Items<'py>;
    type SerializeTuple = Items<'py>;
    type SerializeTupleStruct = Items<'py>;
    type SerializeTupleVariant = Items<'py>;
    type SerializeMap = Members<'py>;
    type SerializeStruct = Members<'py>;
    type SerializeStructVariant = Members<'py>;

    scalars! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8]
    }

    fn serialize_none(self) -> Shown<'py> {
        Ok(self.0.None().into_bound(self.0))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Shown<'py> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Shown<'py> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Shown<'py> {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Shown<'py> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Shown<'py> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Shown<'py> {
        let dict = PyDict::new(self.0);
        dict.set_item(variant, value.serialize(self)?)?;
        Ok(dict.into_any())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'py>, Failed> {
        Ok(Items(PyList::empty(self.0)))
    }

    fn serialize_tuple(self, len: usize) -> Result<Items<'py>, Failed> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items<'py>, Failed> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        len: usize,
    ) -> Result<Items<'py>, Failed> {
        self.serialize_seq(Some(len))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'py>, Failed> {
        Ok(Members {
            dict: PyDict::new(self.0),
            key: None,
            raw: None,
        })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'py>, Failed> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Members<'py>, Failed> {
        self.serialize_map(None)
    }
}

/// The items of a list.
struct Items<'py>(Bound<'py, PyList>);

impl<'py> Items<'py> {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let item = value.serialize(Shower(self.0.py()))?;
        Ok(self.0.append(item)?)
    }
}

macro_rules! items {
    ($($of:ident: $method:ident),*) => {
        $(impl<'py> ser::$of for Items<'py> {
            type Ok = Bound<'py, PyAny>;
            type Error = Failed;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
                self.add(value)
            }

            fn end(self) -> Shown<'py> {
                Ok(self.0.into_any())
            }
        })*
    };
}

items! {
    SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field
}

/// The members of a dict.
struct Members<'py> {
    dict: Bound<'py, PyDict>,
    key: Option<Bound<'py, PyAny>>,
    /// What stands in the place of the dict: raw JSON, read.
    raw: Option<Bound<'py, PyAny>>,
}

impl<'py> Members<'py> {
    fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        let py = self.dict.py();
        let mut shown = value.serialize(Shower(py))?;
        if name == RAW {
            self.raw = Some(loads(&shown)?);
            return Ok(());
        }
        if let Ok(text) = shown.cast::<PyString>() {
            if TIMES.contains(&name) {
                if let Ok(time) = text.to_cow()?.parse::<Timestamp>() {
                    shown = time.into_bound_py_any(py)?;
                }
            } else if name == "date"
                && let Ok(date) = text.to_cow()?.parse::<Date>()
            {
                shown = date.into_bound_py_any(py)?;
            }
        }
        Ok(self.dict.set_item(PyString::intern(py, name), shown)?)
    }

    fn done(self) -> Shown<'py> {
        Ok(self.raw.unwrap_or_else(|| self.dict.into_any()))
    }
}

/// JSON as Python's `json` reads it.
fn loads<'py>(text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    text.py().import("json")?.call_method1("loads", (text,))
}

impl<'py> ser::SerializeMap for Members<'py> {
    type Ok = Bound<'py, PyAny>;
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        self.key = Some(key.serialize(Shower(self.dict.py()))?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let value = value.serialize(Shower(self.dict.py()))?;
        match self.key.take() {
            Some(key) => Ok(self.dict.set_item(key, value)?),
            None => Err(ser::Error::custom("a value without a key")),
        }
    }

    fn end(self) -> Shown<'py> {
        self.done()
    }
}

macro_rules! fields {
    ($($of:ident),*) => {
        $(impl<'py> ser::$of for Members<'py> {
            type Ok = Bound<'py, PyAny>;
            type Error = Failed;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Failed> {
                self.field(name, value)
            }

            fn end(self) -> Shown<'py> {
                self.done()
            }
        })*
    };
}

fields! { SerializeStruct, SerializeStructVariant }
