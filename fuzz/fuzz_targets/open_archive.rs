#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dalsegno::fuzzing::open_archive(data));
