//! What fuzzing starts from: written into a folder by the very binary that fuzzes, which alone knows its tables.

use std::fs;
use std::path::Path;

/// Inputs.
pub type Seeds = Vec<Vec<u8>>;

/// If the environment names a folder for seeds, writes them into it and ends the process.
///
/// # Panics
/// If they cannot be written.
pub fn write_if_asked(seeds: &dyn Fn() -> Seeds) {
    let Some(folder) = std::env::var_os("LASP_FUZZ_SEEDS") else { return };
    for (at, seed) in seeds().iter().enumerate() {
        fs::write(Path::new(&folder).join(format!("{at:04}")), seed).expect("the folder of seeds takes them");
    }
    std::process::exit(0);
}

/// The golden vectors of each type, by the name of their file: see `tests/it/golden.rs`.
///
/// # Panics
/// If the files cannot be read.
pub(crate) fn golden() -> Vec<(String, Seeds)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
    let mut files: Vec<_> = fs::read_dir(folder).expect("there are golden vectors").map(|file| file.unwrap()).collect();
    files.sort_by_key(fs::DirEntry::file_name);
    let named = |file: &fs::DirEntry| {
        let text = fs::read_to_string(file.path()).expect("golden vectors are text");
        let states = text.lines().filter_map(|line| line.strip_prefix("state ")).map(from_hex).collect();
        (file.path().file_stem().unwrap().to_string_lossy().into_owned(), states)
    };
    files.iter().map(named).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
