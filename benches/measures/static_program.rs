//! The program that every run starts: nothing by default, and `lines N` writes N lines of 100 bytes. It is built without
//! dynamic libraries, so that starting it costs as little as possible.

use std::io::Write as _;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [task, count] = words.as_slice() else { return };
    assert_eq!(task, "lines");
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    for number in 0..count.parse().unwrap_or(0_u32) {
        writeln!(out, "{number:0>20} {:.>78}", "a line of a program").unwrap_or_else(|_| std::process::exit(1));
    }
}
