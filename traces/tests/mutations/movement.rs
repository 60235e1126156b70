//! Movement files and association logs.

use crate::mutator::{gzip, mutate_file};
use crate::Target;
use _native::error::OnBadRecord;
use _native::movement::{self, Format};

const FCD: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?>
<!-- made by hand -->
<fcd-export xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <timestep time="0.00">
        <vehicle id="a" x="1.50" y="-2.25" angle="90.00" speed="13.89"/>
        <person id="p &amp; q" x="10" y="20.125" edge="e0"/>
    </timestep>
    <timestep time="1.00"/>
    <timestep time="2.00">
        <vehicle id="a" x="29.28" y="-2.25" speed="13.89"></vehicle>
        <vehicle id="b" x="0.00" y="0.00" speed="0"/>
    </timestep>
</fcd-export>
"#;
const GPX: &[u8] = br#"<?xml version="1.0"?>
<gpx version="1.1" creator="hand" xmlns="http://www.topografix.com/GPX/1/1">
  <metadata><time>2026-11-24T09:00:00Z</time></metadata>
  <trk><name>walk</name><trkseg>
    <trkpt lat="44.494887" lon="11.342616"><ele>54</ele><time>2026-11-24T09:47:00Z</time></trkpt>
    <trkpt lat="44.495" lon="11.343"><time>2026-11-24T09:47:01.500Z</time></trkpt>
  </trkseg><trkseg>
    <trkpt lat="-0.5" lon="-179.9999"><time>2026-11-24T11:48:00+02:00</time></trkpt>
  </trkseg></trk>
</gpx>
"#;
const SETDEST: &[u8] = b"# nodes: 2\n$node_(0) set X_ 150.000000000000\n$node_(0) set Y_ 93.985913871241\n$node_(0) set Z_ 0.0\n\
$node_(1) set X_ 0\n$node_(1) set Y_ 0\n$god_ set-dist 0 1 1\n\
$ns_ at 10.000000000000 \"$node_(0) setdest 100.0 200.0 5.0\"\n$ns_ at 12.5 \"$node_(0) setdest 3 4 1e1\"\n\
$ns_ at 11.0 \"$god_ set-dist 0 1 2\"\n\
$ns_ at 30.0 \"$node_(0) set X_ 500.0\"; # jump\n$ns_ at 30.0 \"$node_(0) set Y_ 500.0\"\nset opt(nn) 2\n$ns_ at 2.0 \"$node_(1) setdest 3.0 4.0 1.0\"\n";
const BONNMOTION: &[u8] = b"0.0 83.36 141.82 60.0 83.36 141.82 93.5 1.0E2 20\n0.0 1 1\n";
const BONNMOTION_3D: &[u8] = b"#3D\n0.0 83.36 141.82 5 60.0 83.36 141.82 5\n";
const FCD_CSV: &[u8] =
    b"timestep_time;vehicle_id;vehicle_x;vehicle_y;vehicle_speed;person_id;person_x;person_y\n\
0.00;a;0.00;0.00;10.00;;;\n0.00;;;;;a;5;5\n1.00;\"b \"\"c\";10.00;0.00;10.00;;;\n2.00;a;20.5;0;1e1;a;6;6\n";
const LOG: &[u8] = b"mobile,router,up_s,down_s,predict_s,going_down_s\nm1,r1,0,33.3054,30.1,33.2\nm1,r2,31.5,,,\n\"m,2\",r1,1,2,,\n";

const WORDS: &[&[u8]] = &[
    b"<!DOCTYPE fcd-export [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>",
    b"&b;",
    b"&amp;",
    b"&#0;",
    b"&#x110000;",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"-->",
    b"<?xml",
    b"?>",
    b"<fcd-export>",
    b"</fcd-export>",
    b"<timestep time=\"3\">",
    b"</timestep>",
    b"/>",
    b"<vehicle ",
    b"id=\"a\"",
    b" x=\"",
    b" y=\"",
    b"time=",
    b"<gpx>",
    b"<trk>",
    b"</trk>",
    b"<trkseg>",
    b"<trkpt ",
    b"<time>",
    b"</time>",
    b"2026-02-30T25:61:61Z",
    b"0000-00-00T00:00:00",
    b"9999-12-31T23:59:60+14:00",
    b"$node_(0)",
    b"$node_(999999999)",
    b"$node_(-1)",
    b" set X_ ",
    b" set Y_ ",
    b"$ns_ at ",
    b"\"$node_(1) setdest ",
    b"$god_ ",
    b"#3D\n",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\0",
    b"\r\n",
    b"\n",
    b"\n\n",
    b",",
    b"\"",
    b"mobile,router,up_s,down_s,predict_s,going_down_s\n",
    b"1e",
    b"--",
    b"++1",
];

fn read(file: &[u8], format: Format) -> bool {
    read_leaving_out(file, format, OnBadRecord::Skip);
    read_leaving_out(file, format, OnBadRecord::KeepFirst);
    read_leaving_out(file, format, OnBadRecord::Refuse)
}

fn read_leaving_out(file: &[u8], format: Format, on_bad_record: OnBadRecord) -> bool {
    let tracks = match movement::read(file, format, on_bad_record) {
        Ok(tracks) => tracks,
        Err(error) => {
            assert!(error.count > 0 && error.problems.iter().all(|problem| problem.position > 0));
            return false;
        }
    };
    let columns = [tracks.time_ps.len(), tracks.x.len(), tracks.y.len()];
    assert_eq!(columns, [tracks.mobile.len(); 3]);
    for (pair, times) in tracks.mobile.windows(2).zip(tracks.time_ps.windows(2)) {
        assert!(pair[0] < pair[1] || (pair[0] == pair[1] && times[0] < times[1]));
    }
    let last = tracks.mobile.last().copied();
    assert!(last.is_some_and(|last| last as usize == tracks.names.into_names().len() - 1));
    assert!(tracks.breaks.windows(2).all(|pair| pair[0] < pair[1]));
    for &row in &tracks.breaks {
        assert!(row > 0 && tracks.mobile[row as usize] == tracks.mobile[row as usize - 1]);
    }
    assert!(on_bad_record != OnBadRecord::Refuse || tracks.skipped.iter().next().is_none());
    true
}

fn target(name: &'static str, files: Vec<Vec<u8>>, read: fn(&[u8]) -> bool) -> Target {
    Target { name, files, words: WORDS, one_in: 1, make: mutate_file, read }
}

pub fn targets() -> Vec<Target> {
    vec![
        target("fcd", vec![FCD.to_vec(), gzip(FCD)], |file| read(file, Format::Fcd)),
        target("fcd-geo", vec![FCD.to_vec()], |file| read(file, Format::FcdGeo)),
        target("fcd-csv", vec![FCD_CSV.to_vec()], |file| read(file, Format::FcdCsv)),
        target("gpx", vec![GPX.to_vec()], |file| read(file, Format::Gpx)),
        target("setdest", vec![SETDEST.to_vec()], |file| read(file, Format::Setdest)),
        target("bonnmotion", vec![BONNMOTION.to_vec(), BONNMOTION_3D.to_vec()], |file| {
            read(file, Format::BonnMotion) | read(file, Format::BonnMotion3d)
        }),
        target("association logs", vec![LOG.to_vec()], |file| {
            let read = |begin_ps, on_bad_record| _native::associations::read(file, begin_ps, on_bad_record);
            let skipped = read(None, OnBadRecord::Skip);
            assert!(skipped.is_ok() || read(Some(0), OnBadRecord::Refuse).is_err());
            read(Some(0), OnBadRecord::Refuse).is_ok()
        }),
    ]
}
