//! One self-contained page: no request leaves it, light and dark, readable on a phone.

mod conformance;
mod fault;
mod matrix;
mod plan;
mod rescale;

use super::svg::escaped;

pub use conformance::conformance;
pub use fault::faults;
pub use matrix::matrix;
pub use plan::plan;
pub use rescale::rescales;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         {body}\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}
