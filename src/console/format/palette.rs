//! Pure: the 16 colors of log lines.

/// Red, green and blue of the colors as terminals define them; the style sheet has shades of them that can be read on its background.
const COLORS: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

/// The number of the color that is nearest to this one.
pub(super) fn nearest(red: u8, green: u8, blue: u8) -> u8 {
    let distance = |of: (u8, u8, u8)| {
        let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        square(of.0, red) + square(of.1, green) + square(of.2, blue)
    };
    (0_u8..).zip(COLORS).min_by_key(|(_, color)| distance(*color)).map_or(7, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_colors() {
        assert_eq!(nearest(250, 5, 5), 9);
        assert_eq!(nearest(0, 0, 0), 0);
        assert_eq!(nearest(130, 130, 120), 8);
        assert_eq!(nearest(0, 175, 0), 2);
    }
}
