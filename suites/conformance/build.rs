//! Fixtures are compiled in: a new file counts as a change.

fn main() {
    println!("cargo:rerun-if-changed=../../fixtures/conformance");
    println!("cargo:rerun-if-changed=../../fixtures/matrix");
}
