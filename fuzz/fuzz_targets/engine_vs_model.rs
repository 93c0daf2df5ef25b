#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dalsegno::fuzzing::engine_vs_model(data));
