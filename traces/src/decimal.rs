//! Decimal numbers of text files as integers, without binary floating point.

const MAX_CHARACTERS: usize = 64;
/// Significant digits. Ten to this power still fits an i128.
const MAX_DIGITS: usize = 37;
const PS_PER_S: i128 = 1_000_000_000_000;

/// Parse a decimal number and return it times 10 to the power of `places`, rounded to the nearest integer, halves away from zero.
///
/// The number may have a sign, a point and an exponent. Return None if the text is no number, has more than 37 significant
/// digits or exceeds an i128.
pub fn parse_scaled(text: &[u8], places: i32) -> Option<i128> {
    if text.len() > MAX_CHARACTERS {
        return None;
    }
    let (negative, text) = split_sign(text);
    let (digits, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(end) => (&text[..end], parse_exponent(&text[end + 1..])?),
        None => (text, 0),
    };
    let (mut value, mut significant, mut has_digit, mut decimals) = (0i128, 0, false, None);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                has_digit = true;
                significant += usize::from(significant > 0 || byte != b'0');
                if significant > MAX_DIGITS {
                    return None;
                }
                value = value * 10 + i128::from(byte - b'0');
                decimals = decimals.map(|count: i32| count + 1);
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    if !has_digit {
        return None;
    }
    let shift = exponent - decimals.unwrap_or(0) + places;
    let magnitude = if value == 0 {
        0
    } else if shift >= 0 {
        value.checked_mul(10i128.checked_pow(shift.unsigned_abs())?)?
    } else {
        match 10i128.checked_pow(shift.unsigned_abs()) {
            Some(unit) => value / unit + i128::from(value % unit >= unit / 2),
            None => 0,
        }
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = split_sign(text);
    if !(1..=3).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0, |sum, &digit| sum * 10 + i32::from(digit - b'0'));
    Some(if negative { -magnitude } else { magnitude })
}

/// Return true and the rest behind a minus sign, else false and the text without its plus sign.
fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// Format picoseconds as decimal seconds without trailing zeros.
pub fn format_seconds(time_ps: impl Into<i128>) -> String {
    let time_ps = time_ps.into();
    let text = format!("{}.{:012}", time_ps / PS_PER_S, time_ps % PS_PER_S);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
