//! Decimal numbers of text files as integers, without binary floating point.

/// Characters of a number that can be read.
const MOST: usize = 64;
/// Significant digits; ten to this power still fits an i128.
const DIGITS: usize = 37;

/// `text` times 10 to the power of `places`, rounded to the nearest integer, halves away from zero.
///
/// A sign, a point and an exponent are understood; None is no number, or one of more than 37 significant digits or past i128.
pub fn scaled(text: &[u8], places: i32) -> Option<i128> {
    if text.len() > MOST {
        return None;
    }
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let end = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (digits, exponent) = match end {
        Some(end) => (&text[..end], exponent(&text[end + 1..])?),
        None => (text, 0),
    };
    let (mut value, mut significant, mut seen, mut decimals) = (0i128, 0, false, None);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                significant += usize::from(significant > 0 || byte != b'0');
                if significant > DIGITS {
                    return None;
                }
                value = value * 10 + i128::from(byte - b'0');
                decimals = decimals.map(|count: i32| count + 1);
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    if !seen {
        return None;
    }
    let shift = exponent - decimals.unwrap_or(0) + places;
    let size = if value == 0 {
        0
    } else if shift >= 0 {
        value.checked_mul(10i128.checked_pow(shift.unsigned_abs())?)?
    } else {
        match 10i128.checked_pow(shift.unsigned_abs()) {
            Some(unit) => value / unit + i128::from(value % unit >= unit / 2),
            None => 0,
        }
    };
    Some(if negative { -size } else { size })
}

fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if !(1..=3).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0, |sum, &digit| sum * 10 + i32::from(digit - b'0'));
    Some(if negative { -size } else { size })
}
