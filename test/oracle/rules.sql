-- An independent wording of the edit rules of the short form, for SQLite.
--
-- Written from the catalogue of edits and the forms, never from the .rules
-- files; what it finds must be what `puan check` finds, household by household
-- and line by line.  test/oracle/run_rules.sh imports the CSV files, runs this
-- text and compares.
--
-- In: tables h_raw, p_raw, d_raw, one column an item, all text, in file order.
-- Out: table oracle(rule, household, line); line 0 is the household itself.
--
-- Conventions of the census that the wording keeps:
--   a cell that is empty or begins with '!' holds no answer;
--   a text that is not in the item's list or range is no answer either, and in
--   addition silences every rule that would have to look at it: columns x_bad;
--   unknown never raises a finding: SQL's NULL does the same;
--   a count over persons of whom one is unknown is unknown: columns of sums of
--   "x IS NULL";
--   months are numbers: year * 12 + month - 1.

.bail on

-- ---------------------------------------------------------------- household

CREATE TEMP VIEW h_txt AS
SELECT *, CAST(household AS INTEGER) AS hh FROM h_raw;

CREATE TABLE h AS
SELECT hh,
  hh % 1000 AS A9,
  hh / 1000000000000 AS county,
  hh / 10000000000000000 AS province,
  CASE WHEN H1 IN ('1','2') THEN CAST(H1 AS INT) END AS H1,
  H1 NOT IN ('','1','2') AND H1 NOT LIKE '!%' AS H1_bad,
  CASE WHEN H2a GLOB '[0-9]*' AND H2a NOT GLOB '*[^0-9]*' AND CAST(H2a AS INT) <= 9999 THEN CAST(H2a AS INT) END AS H2a,
  CASE WHEN H2b GLOB '[0-9]*' AND H2b NOT GLOB '*[^0-9]*' AND CAST(H2b AS INT) <= 9999 THEN CAST(H2b AS INT) END AS H2b,
  CASE WHEN H3m GLOB '[0-9]*' AND H3m NOT GLOB '*[^0-9]*' AND CAST(H3m AS INT) <= 999 THEN CAST(H3m AS INT) END AS H3m,
  CASE WHEN H3f GLOB '[0-9]*' AND H3f NOT GLOB '*[^0-9]*' AND CAST(H3f AS INT) <= 999 THEN CAST(H3f AS INT) END AS H3f,
  CASE WHEN H4m GLOB '[0-9]*' AND H4m NOT GLOB '*[^0-9]*' AND CAST(H4m AS INT) <= 999 THEN CAST(H4m AS INT) END AS H4m,
  CASE WHEN H4f GLOB '[0-9]*' AND H4f NOT GLOB '*[^0-9]*' AND CAST(H4f AS INT) <= 999 THEN CAST(H4f AS INT) END AS H4f,
  CASE WHEN H5 IN ('1','2','3','4','5') THEN CAST(H5 AS INT) END AS H5,
  CASE WHEN H6 GLOB '[0-9]*' AND H6 NOT GLOB '*[^0-9]*' AND CAST(H6 AS INT) BETWEEN 1 AND 99999 THEN CAST(H6 AS INT) END AS H6,
  CASE WHEN H7 GLOB '[0-9]*' AND H7 NOT GLOB '*[^0-9]*' AND CAST(H7 AS INT) BETWEEN 1 AND 999 THEN CAST(H7 AS INT) END AS H7,
  H1 <> '' AS H1_there, H5 <> '' AS H5_there,
  H3m <> '' AS H3m_there, H3f <> '' AS H3f_there,
  H4m NOT IN ('') AND H4m NOT LIKE '!%' AND (H4m GLOB '*[^0-9]*' OR CAST(H4m AS INT) > 999) AS H4m_bad,
  CASE P_mode WHEN 'enumerator' THEN 1 WHEN 'self' THEN 2 WHEN 'office-estimate' THEN 3 END AS P_mode,
  P_signed <> '' AS sign_asked,
  CASE WHEN P_signed IN ('1','2') THEN CAST(P_signed AS INT) END AS P_signed,
  CASE WHEN P_seconds GLOB '[0-9]*' AND P_seconds NOT GLOB '*[^0-9]*' AND CAST(P_seconds AS INT) <= 604800 THEN CAST(P_seconds AS INT) END AS P_seconds,
  P_seconds NOT IN ('') AND P_seconds NOT LIKE '!%' AND (P_seconds GLOB '*[^0-9]*' OR CAST(P_seconds AS INT) > 604800) AS P_seconds_bad,
  CASE WHEN P_start GLOB '[0-9]*' AND P_start NOT GLOB '*[^0-9]*' AND CAST(P_start AS INT) <= 1439 THEN CAST(P_start AS INT) END AS P_start,
  P_start NOT IN ('') AND P_start NOT LIKE '!%' AND (P_start GLOB '*[^0-9]*' OR CAST(P_start AS INT) > 1439) AS P_start_bad,
  CASE WHEN P_distance GLOB '[0-9]*' AND P_distance NOT GLOB '*[^0-9]*' AND CAST(P_distance AS INT) <= 999999 THEN CAST(P_distance AS INT) END AS P_distance
FROM h_txt;
CREATE UNIQUE INDEX h_hh ON h(hh);

-- ---------------------------------------------------------- citizen ID numbers

-- Every number once, with what GB 11643 says of it.
CREATE TABLE id AS
SELECT raw, num, length(num) AS len,
  length(num) = 18 AND substr(num, 1, 17) NOT GLOB '*[^0-9]*'
    AND substr(num, 18, 1) GLOB '[0-9X]' AS chars_ok,
  CASE WHEN length(num) = 18 AND substr(num, 7, 8) NOT GLOB '*[^0-9]*'
            AND substr(num, 7, 4) >= '1800'
            AND date(substr(num, 7, 4) || '-' || substr(num, 11, 2) || '-' || substr(num, 13, 2), '+0 days')
                = substr(num, 7, 4) || '-' || substr(num, 11, 2) || '-' || substr(num, 13, 2)
       THEN substr(num, 7, 8) END AS birth,
  CASE WHEN length(num) = 18 AND substr(num, 17, 1) GLOB '[0-9]'
       THEN 2 - CAST(substr(num, 17, 1) AS INT) % 2 END AS sex,
  CASE WHEN length(num) = 18 AND substr(num, 1, 6) NOT GLOB '*[^0-9]*'
       THEN CAST(substr(num, 1, 6) AS INT) END AS region,
  substr('10X98765432', 1 + (
      substr(num, 1, 1) * 7 + substr(num, 2, 1) * 9 + substr(num, 3, 1) * 10
    + substr(num, 4, 1) * 5 + substr(num, 5, 1) * 8 + substr(num, 6, 1) * 4
    + substr(num, 7, 1) * 2 + substr(num, 8, 1) * 1 + substr(num, 9, 1) * 6
    + substr(num, 10, 1) * 3 + substr(num, 11, 1) * 7 + substr(num, 12, 1) * 9
    + substr(num, 13, 1) * 10 + substr(num, 14, 1) * 5 + substr(num, 15, 1) * 8
    + substr(num, 16, 1) * 4 + substr(num, 17, 1) * 2) % 11, 1)
    = substr(num, 18, 1) AS digit_ok
FROM (SELECT DISTINCT raw, upper(trim(raw)) AS num
      FROM (SELECT D3 AS raw FROM p_raw UNION SELECT S2 FROM d_raw)
      WHERE raw <> '' AND raw NOT LIKE '!%');

CREATE TABLE idc AS
SELECT raw, num, sex, region,
  CASE WHEN birth IS NOT NULL
       THEN CAST(substr(birth, 1, 4) AS INT) * 12 + CAST(substr(birth, 5, 2) AS INT) - 1 END AS month,
  CASE WHEN NOT chars_ok THEN 'form'
       WHEN birth IS NULL OR birth >= '20201101' THEN 'date'
       WHEN NOT digit_ok THEN 'digit'
       ELSE 'ok' END AS verdict,
  CASE WHEN region IS NULL THEN NULL
       WHEN region / 10000 IN (81, 82, 83) THEN 1
       ELSE region / 10000 IN (11,12,13,14,15,21,22,23,31,32,33,34,35,36,37,
              41,42,43,44,45,46,50,51,52,53,54,61,62,63,64,65,71)
            AND (region / 100 % 100 BETWEEN 1 AND 70 OR region / 100 % 100 = 90)
            AND region % 100 BETWEEN 1 AND 99 END AS region_known
FROM id;
CREATE UNIQUE INDEX idc_raw ON idc(raw);

-- ------------------------------------------------------------------- persons

CREATE TABLE p AS
SELECT q.*, i.num AS id_num, i.verdict AS id_verdict, i.month AS id_month,
  i.sex AS id_sex, i.region AS id_region, i.region_known AS id_region_known,
  2020 - D5 / 12 - (D5 % 12 + 1 >= 11) AS age
FROM (
SELECT CAST(household AS INTEGER) AS hh,
  row_number() OVER (PARTITION BY household ORDER BY rowid) AS line,
  D1 AS D1_raw, CASE WHEN D1 <> '' AND D1 NOT LIKE '!%' THEN trim(D1) END AS D1,
  CASE WHEN D2 GLOB '[0-9]' THEN CAST(D2 AS INT) END AS D2,
  D2 <> '' AND D2 NOT LIKE '!%' AND D2 NOT GLOB '[0-9]' AS D2_bad,
  D3 AS D3_raw,
  CASE WHEN D4 IN ('1','2') THEN CAST(D4 AS INT) END AS D4,
  D4 <> '' AND D4 NOT LIKE '!%' AND D4 NOT IN ('1','2') AS D4_bad,
  CASE WHEN D5 GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]' AND substr(D5, 6) BETWEEN '01' AND '12'
            AND D5 BETWEEN '1880-01' AND '2020-12'
       THEN CAST(substr(D5, 1, 4) AS INT) * 12 + CAST(substr(D5, 6) AS INT) - 1 END AS D5,
  D5 <> '' AND D5 NOT LIKE '!%' AND NOT (D5 GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]'
            AND substr(D5, 6) BETWEEN '01' AND '12' AND D5 BETWEEN '1880-01' AND '2020-12') AS D5_bad,
  CASE WHEN (D6 GLOB '[1-9]' OR D6 GLOB '[0-9][0-9]') AND (CAST(D6 AS INT) BETWEEN 1 AND 56 OR D6 IN ('97','98')) THEN CAST(D6 AS INT) END AS D6,
  D6 <> '' AND D6 NOT LIKE '!%' AND NOT ((D6 GLOB '[1-9]' OR D6 GLOB '[0-9][0-9]') AND (CAST(D6 AS INT) BETWEEN 1 AND 56 OR D6 IN ('97','98'))) AS D6_bad,
  CASE WHEN D7 GLOB '[1-7]' THEN CAST(D7 AS INT) END AS D7,
  D7 <> '' AND D7 NOT LIKE '!%' AND D7 NOT GLOB '[1-7]' AS D7_bad,
  CASE WHEN D7a GLOB '[0-9][0-9][0-9][0-9][0-9][0-9]' THEN CAST(D7a AS INT) END AS D7a,
  D7a <> '' AND D7a NOT LIKE '!%' AND D7a NOT GLOB '[0-9][0-9][0-9][0-9][0-9][0-9]' AS D7a_bad,
  CASE WHEN D8 GLOB '[1-5]' THEN CAST(D8 AS INT) END AS D8,
  D8 <> '' AND D8 NOT LIKE '!%' AND D8 NOT GLOB '[1-5]' AS D8_bad,
  CASE WHEN D8a GLOB '[0-9][0-9][0-9][0-9][0-9][0-9]' THEN CAST(D8a AS INT) END AS D8a,
  CASE WHEN D9 GLOB '[1-9]' THEN CAST(D9 AS INT) END AS D9,
  CASE WHEN D10 GLOB '[0-9]' THEN CAST(D10 AS INT) END AS D10,
  CASE WHEN D11 GLOB '[1-9]' THEN CAST(D11 AS INT) END AS D11,
  CASE WHEN D12 IN ('1','2') THEN CAST(D12 AS INT) END AS D12
FROM p_raw) q LEFT JOIN idc i ON i.raw = q.D3_raw;
CREATE UNIQUE INDEX p_hh ON p(hh, line);

-- -------------------------------------------------------------------- deaths

CREATE TABLE d AS
SELECT q.*, i.num AS id_num, i.verdict AS id_verdict, i.month AS id_month,
  i.sex AS id_sex, i.region_known AS id_region_known,
  S5 / 12 - S4 / 12 - (S5 % 12 <= S4 % 12) AS age
FROM (
SELECT CAST(household AS INTEGER) AS hh,
  row_number() OVER (PARTITION BY household ORDER BY rowid) AS line,
  S2 AS S2_raw,
  CASE WHEN S3 IN ('1','2') THEN CAST(S3 AS INT) END AS S3,
  S3 <> '' AND S3 NOT LIKE '!%' AND S3 NOT IN ('1','2') AS S3_bad,
  CASE WHEN S4 GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]' AND substr(S4, 6) BETWEEN '01' AND '12'
            AND S4 BETWEEN '1880-01' AND '2020-12'
       THEN CAST(substr(S4, 1, 4) AS INT) * 12 + CAST(substr(S4, 6) AS INT) - 1 END AS S4,
  S4 <> '' AND S4 NOT LIKE '!%' AND NOT (S4 GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]'
            AND substr(S4, 6) BETWEEN '01' AND '12' AND S4 BETWEEN '1880-01' AND '2020-12') AS S4_bad,
  CASE WHEN S5 GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]' AND substr(S5, 6) BETWEEN '01' AND '12'
            AND S5 BETWEEN '2019-01' AND '2020-12'
       THEN CAST(substr(S5, 1, 4) AS INT) * 12 + CAST(substr(S5, 6) AS INT) - 1 END AS S5,
  CASE WHEN S7 GLOB '[1-9]' THEN CAST(S7 AS INT) END AS S7,
  CASE WHEN S8 GLOB '[1-4]' THEN CAST(S8 AS INT) END AS S8
FROM d_raw) q LEFT JOIN idc i ON i.raw = q.S2_raw;
CREATE INDEX d_hh ON d(hh);

-- ------------------------------------------------------ the head, the spouse

-- The first person of that relation, unless somebody before has none known.
CREATE TABLE head AS
SELECT p.hh, p.line, p.D4, p.D4_bad, p.D5_bad, p.D6, p.D6_bad, p.age FROM p
JOIN (SELECT hh, min(CASE WHEN D2 = 0 THEN line END) AS first,
             coalesce(min(CASE WHEN D2 IS NULL THEN line END), 1000) AS doubt
      FROM p GROUP BY hh) f ON f.hh = p.hh AND p.line = f.first AND first < doubt;
CREATE UNIQUE INDEX head_hh ON head(hh);
CREATE TABLE spouse AS
SELECT p.hh, p.line, p.D4, p.D5_bad, p.D6, p.D6_bad, p.age FROM p
JOIN (SELECT hh, min(CASE WHEN D2 = 1 THEN line END) AS first,
             coalesce(min(CASE WHEN D2 IS NULL THEN line END), 1000) AS doubt
      FROM p GROUP BY hh) f ON f.hh = p.hh AND p.line = f.first AND first < doubt;
CREATE UNIQUE INDEX spouse_hh ON spouse(hh);

-- Persons with what is known of head and spouse.
CREATE TABLE f AS
SELECT p.*, h.H1, h.H1_bad,
  hd.age AS head_age, hd.D4 AS head_sex, hd.D6 AS head_grp,
  coalesce(hd.D5_bad, 0) AS head_age_bad, coalesce(hd.D4_bad, 0) AS head_sex_bad,
  coalesce(hd.D6_bad, 0) AS head_grp_bad,
  sp.D6 AS spouse_grp, coalesce(sp.D6_bad, 0) AS spouse_grp_bad,
  lag(p.D2) OVER (PARTITION BY p.hh ORDER BY p.line) AS D2_before
FROM p JOIN h ON h.hh = p.hh
LEFT JOIN head hd ON hd.hh = p.hh LEFT JOIN spouse sp ON sp.hh = p.hh;
CREATE INDEX f_hh ON f(hh);

-- What counts over the persons say, also for households without any.
CREATE TABLE c AS
SELECT h.hh, count(p.line) AS persons,
  total(p.D2 = 0) AS heads, total(p.D2 = 1) AS spouses, total(p.D2 = 3) AS parents,
  total(p.D2 = 4) AS in_laws, total(p.D2 = 9) AS others,
  total(p.line IS NOT NULL AND p.D2 IS NULL) AS D2_unknown, total(p.D2_bad) AS D2_bad,
  total(p.D7 = 1) AS here, total(p.D7 <> 1) AS away,
  total(p.line IS NOT NULL AND p.D7 IS NULL) AS D7_unknown,
  total(p.D5 BETWEEN 24238 AND 24249) AS infants,
  total(p.line IS NOT NULL AND p.D5 IS NULL) AS D5_unknown
FROM h LEFT JOIN p ON p.hh = h.hh GROUP BY h.hh;
CREATE UNIQUE INDEX c_hh ON c(hh);

CREATE TABLE oracle (rule TEXT, household INTEGER, line INTEGER);
CREATE TABLE wording (rule TEXT PRIMARY KEY, severity TEXT DEFAULT 'hard');

-- ------------------------------------------------- A. household: composition

INSERT INTO wording (rule) VALUES ('RH01'),('RH02'),('RH03'),('RH04'),('RH05'),('RH06'),('RH07'),('RH08'),('RH09'),('RH10'),
 ('RH11'),('RH12'),('RH13'),('RH14'),('RH15'),('RH16'),('RH17'),('RH18'),('RH19'),('RH20'),('RH21'),('RH22'),('RH23'),
 ('RH25'),('RH26'),('RH27'),('RH28'),('RH29'),('RH30'),('RH31'),('RH32'),('RH33'),('RH34'),('RH35'),('RH36'),('RH37'),
 ('RH38'),('RH39'),('RH40'),('RH41'),('RH42'),('RH43'),('RH44'),('RH45'),('RH46'),('RH47'),('RH48'),('RH49'),('RH50'),
 ('RH51'),('RH52'),('RH53'),('RH54'),('RH55');

-- asked of every household but a whole-dead one (999)
INSERT INTO oracle SELECT 'RH01', hh, 0 FROM h WHERE H1 IS NULL AND (A9 <> 999 OR H1_there);
INSERT INTO oracle SELECT 'RH02', hh, 0 FROM h JOIN c USING (hh) WHERE A9 <> 999 AND persons = 0 AND H2a + H2b > 0;
INSERT INTO oracle SELECT 'RH03', hh, 0 FROM h JOIN c USING (hh) WHERE D7_unknown = 0 AND here <> H2a;
INSERT INTO oracle SELECT 'RH04', hh, 0 FROM h JOIN c USING (hh) WHERE D7_unknown = 0 AND away <> H2b;
INSERT INTO oracle SELECT 'RH05', hh, 0 FROM h WHERE A9 <> 999 AND H2a + H2b = 0;
INSERT INTO oracle SELECT 'RH06', hh, 0 FROM h JOIN c USING (hh) WHERE A9 = 999
  AND (persons > 0 OR coalesce(H1, H2a, H2b, H3m, H3f, H5, H6, H7) IS NOT NULL);
INSERT INTO oracle SELECT 'RH07', hh, 0 FROM h WHERE A9 = 999 AND H4m + H4f = 0;
INSERT INTO oracle SELECT 'RH08', hh, 0 FROM h JOIN c USING (hh) WHERE H1 = 1 AND D2_unknown = 0 AND heads <> 1;
INSERT INTO oracle SELECT 'RH09', hh, 0 FROM h JOIN c USING (hh) WHERE H1 = 2 AND D2_unknown = 0 AND heads <> 1;
INSERT INTO oracle SELECT 'RH10', hh, 0 FROM f WHERE H1 = 2 AND line > 1 GROUP BY hh
  HAVING total(D2 <> 9) > 0 AND total(D2_bad) = 0;
INSERT INTO oracle SELECT 'RH11', hh, 0 FROM p WHERE line = 1 AND D2 <> 0;
INSERT INTO oracle SELECT 'RH12', hh, 0 FROM f GROUP BY hh
  HAVING total(min(D2, 3) < min(D2_before, 3)) > 0 AND (total(D2_bad) = 0);
INSERT INTO oracle SELECT 'RH13', hh, 0 FROM c WHERE D2_unknown = 0 AND spouses > 1;
INSERT INTO oracle SELECT 'RH14', a.hh, 0 FROM head a JOIN spouse b USING (hh) WHERE a.D4 = b.D4;
INSERT INTO oracle SELECT 'RH15', a.hh, 0 FROM head a JOIN spouse b USING (hh) WHERE abs(a.age - b.age) > 20;
INSERT INTO oracle SELECT 'RH16', hh, 0 FROM p GROUP BY hh HAVING total(D2 = 1 AND age < 15) > 0
  AND total(D2_bad OR (coalesce(D2, 1) = 1 AND D5_bad)) = 0;
INSERT INTO oracle SELECT 'RH17', hh, 0 FROM p GROUP BY hh
  HAVING total(D2 = 1 AND age >= 15 AND ((D4 = 1 AND age < 22) OR (D4 = 2 AND age < 20))) > 0
  AND total(D2_bad OR (coalesce(D2, 1) = 1 AND (D5_bad OR (coalesce(age, 15) >= 15 AND D4_bad)))) = 0;
INSERT INTO oracle SELECT 'RH18', hh, 0 FROM f GROUP BY hh HAVING total(D2 = 2 AND head_age - age < 12) > 0
  AND total(D2_bad OR (coalesce(D2, 2) = 2 AND (D5_bad OR head_age_bad))) = 0;
INSERT INTO oracle SELECT 'RH19', hh, 0 FROM f GROUP BY hh HAVING total(D2 = 2 AND head_age - age BETWEEN 12 AND 15) > 0
  AND total(D2_bad OR (coalesce(D2, 2) = 2 AND (D5_bad OR head_age_bad))) = 0;
INSERT INTO oracle SELECT 'RH20', hh, 0 FROM f GROUP BY hh
  HAVING total(D2 = 2 AND ((head_sex = 2 AND head_age - age > 50) OR (head_sex = 1 AND head_age - age > 65))) > 0
  AND total(D2_bad OR (coalesce(D2, 2) = 2 AND (head_sex_bad OR D5_bad OR head_age_bad))) = 0;
INSERT INTO oracle SELECT 'RH21', hh, 0 FROM f GROUP BY hh HAVING total(D2 = 3 AND age - head_age < 12) > 0
  AND total(D2_bad OR (coalesce(D2, 3) = 3 AND (D5_bad OR head_age_bad))) = 0;
-- More than two, or two of one sex.  A parent of unknown sex leaves the second
-- part open; somebody of unknown relation leaves open what their sex allows.
INSERT INTO oracle SELECT 'RH22', hh, 0 FROM p GROUP BY hh
  HAVING total(D2_bad) = 0 AND (
       (total(D2 IS NULL) = 0 AND total(D2 = 3) > 2)
    OR (total(coalesce(D2, 3) = 3 AND D4_bad) = 0
        AND (   (total(D2 = 3 AND D4 = 1) > 1 AND total((D2 = 3 AND D4 IS NULL) OR (D2 IS NULL AND coalesce(D4, 1) = 1)) = 0)
             OR (total(D2 = 3 AND D4 = 2) > 1 AND total((D2 = 3 AND D4 IS NULL) OR (D2 IS NULL AND coalesce(D4, 2) = 2)) = 0))));
INSERT INTO oracle SELECT 'RH23', hh, 0 FROM c WHERE D2_unknown = 0 AND in_laws > 2;
INSERT INTO oracle SELECT 'RH25', hh, 0 FROM f GROUP BY hh HAVING total(D2 = 5 AND age - head_age < 26) > 0
  AND total(D2_bad OR (coalesce(D2, 5) = 5 AND (D5_bad OR head_age_bad))) = 0;
INSERT INTO oracle SELECT 'RH26', hh, 0 FROM f GROUP BY hh HAVING total(D2 = 7 AND head_age - age < 26) > 0
  AND total(D2_bad OR (coalesce(D2, 7) = 7 AND (D5_bad OR head_age_bad))) = 0;
INSERT INTO oracle SELECT 'RH27', hh, 0 FROM p GROUP BY hh HAVING total(D2 = 6 AND age < 15) > 0
  AND total(D2_bad OR (coalesce(D2, 6) = 6 AND D5_bad)) = 0;
-- A child-in-law for whom everybody is surely not the child: another relation,
-- under 15, or the same sex.
CREATE TABLE couple AS
SELECT x.hh, x.line, x.D2,
  total(coalesce(NOT (y.D2 <> 2 OR y.age < 15 OR y.D4 = x.D4), 1)) AS possible,
  total(coalesce(y.D2, 2) = 2 AND (y.D5_bad OR (coalesce(y.age, 15) >= 15 AND (y.D4_bad OR x.D4_bad)))) AS unreadable
FROM p x JOIN p y ON y.hh = x.hh
WHERE coalesce(x.D2, 6) = 6 GROUP BY x.hh, x.line;
INSERT INTO oracle SELECT 'RH28', hh, 0 FROM couple GROUP BY hh
  HAVING total(D2 = 6 AND possible = 0) > 0 AND total(unreadable) = 0
     AND hh NOT IN (SELECT hh FROM p WHERE D2_bad);
INSERT INTO oracle SELECT 'RH29', hh, 0 FROM f GROUP BY hh HAVING total(D2 = 8 AND abs(age - head_age) > 30) > 0
  AND total(D2_bad OR (coalesce(D2, 8) = 8 AND (D5_bad OR head_age_bad))) = 0;
-- the groups of child and head, then of the spouse, are looked at in this order
INSERT INTO oracle SELECT 'RH30', hh, 0 FROM f GROUP BY hh
  HAVING total(D2 = 2 AND D6 <> head_grp AND D6 <> spouse_grp) > 0
  AND total(D2_bad OR (coalesce(D2, 2) = 2 AND (D6_bad OR head_grp_bad
       OR (spouse_grp_bad AND coalesce(D6 <> head_grp, 1))))) = 0;
INSERT INTO oracle SELECT 'RH31', hh, 0 FROM h JOIN c USING (hh) WHERE H1 = 1 AND D2_unknown = 0 AND others >= 6
  AND persons = heads + others;
INSERT INTO oracle SELECT 'RH32', hh, 0 FROM h WHERE H1 = 1 AND H2a + H2b > 15;
INSERT INTO oracle SELECT 'RH33', hh, 0 FROM h WHERE H1 = 2 AND H2a + H2b = 1;
INSERT INTO oracle SELECT 'RH34', hh, 0 FROM head WHERE age < 16;
INSERT INTO oracle SELECT 'RH35', hh, 0 FROM p GROUP BY hh
  HAVING total(D7 IS NULL) = 0 AND total(D7 = 1 AND age IS NULL) = 0
     AND max(CASE WHEN D7 = 1 THEN age END) < 16;

-- ----------------------------------------------------------------- dwelling

INSERT INTO oracle SELECT 'RH36', hh, 0 FROM h WHERE H5 IS NULL AND (A9 <> 999 OR H5_there);
INSERT INTO oracle SELECT 'RH37', hh, 0 FROM h WHERE H5 = 1 AND H2a > 0 AND (H6 IS NULL OR H7 IS NULL OR H6 < 1 OR H7 < 1);
INSERT INTO oracle SELECT 'RH38', hh, 0 FROM h WHERE H5 IN (2, 3, 4, 5) AND (H6 IS NOT NULL OR H7 IS NOT NULL);
INSERT INTO oracle SELECT 'RH39', hh, 0 FROM h WHERE H6 < 5 OR H6 > 1000;
INSERT INTO oracle SELECT 'RH40', hh, 0 FROM h WHERE H7 > 20;
INSERT INTO oracle SELECT 'RH41', hh, 0 FROM h WHERE 1.0 * H6 / H7 < 5 OR 1.0 * H6 / H7 > 120;
INSERT INTO oracle SELECT 'RH42', hh, 0 FROM h WHERE H2a > 0 AND 1.0 * H6 / H2a > 300;
INSERT INTO oracle SELECT 'RH43', hh, 0 FROM h WHERE H1 = 2 AND H5 = 1;
INSERT INTO oracle SELECT 'RH44', hh, 0 FROM h WHERE H1 = 1 AND H5 = 2;

-- --------------------------------------------- births, deaths, the interview

INSERT INTO oracle SELECT 'RH45', hh, 0 FROM h WHERE H4m IS NULL OR H4f IS NULL
  OR (H3m IS NULL AND (A9 <> 999 OR H3m_there)) OR (H3f IS NULL AND (A9 <> 999 OR H3f_there));
-- boys: born in the window and male; open when either could still be
INSERT INTO oracle SELECT 'RH46', h.hh, 0 FROM h JOIN p USING (hh) GROUP BY h.hh
  HAVING total(D5 BETWEEN 24238 AND 24249 AND D4 = 1) > h.H3m
  AND total((D5 IS NULL AND (D5_bad OR coalesce(D4, 1) = 1)) OR (D5 BETWEEN 24238 AND 24249 AND D4 IS NULL)) = 0;
INSERT INTO oracle SELECT 'RH47', h.hh, 0 FROM h JOIN p USING (hh) GROUP BY h.hh
  HAVING total(D5 BETWEEN 24238 AND 24249 AND D4 = 2) > h.H3f
  AND total((D5 IS NULL AND (D5_bad OR coalesce(D4, 2) = 2)) OR (D5 BETWEEN 24238 AND 24249 AND D4 IS NULL)) = 0;
INSERT INTO oracle SELECT 'RH48', hh, 0 FROM h JOIN c USING (hh) WHERE D5_unknown = 0 AND H3m + H3f > infants
  AND hh NOT IN (SELECT hh FROM d WHERE S4 IS NULL OR S4 BETWEEN 24238 AND 24249);
INSERT INTO oracle SELECT 'RH49', hh, 0 FROM h WHERE H3m + H3f > 2;
INSERT INTO oracle SELECT 'RH50', h.hh, 0 FROM h LEFT JOIN p USING (hh) WHERE h.H3m + h.H3f > 0 GROUP BY h.hh
  HAVING total(p.line IS NOT NULL
    AND NOT coalesce(p.D4 = 1 OR (NOT p.D4_bad AND p.age NOT BETWEEN 14 AND 55), 0)) = 0;
INSERT INTO oracle SELECT 'RH51', h.hh, 0 FROM h LEFT JOIN d USING (hh) GROUP BY h.hh
  HAVING total(d.line IS NOT NULL AND d.S3 IS NULL) = 0
  AND (total(d.S3 = 1) <> h.H4m OR (NOT h.H4m_bad AND total(d.S3 = 2) <> h.H4f));
INSERT INTO oracle SELECT 'RH52', hh, 0 FROM h WHERE H4m + H4f > 2;
INSERT INTO oracle SELECT 'RH53', hh, 0 FROM h WHERE sign_asked AND NOT (P_mode IS NOT NULL AND coalesce(P_signed, 2) = 1);
INSERT INTO oracle SELECT 'RH54', hh, 0 FROM h JOIN c USING (hh)
  WHERE P_seconds < 60 * persons OR (NOT P_seconds_bad AND P_start NOT BETWEEN 6 * 60 AND 22 * 60 + 30);
INSERT INTO oracle SELECT 'RH55', hh, 0 FROM h WHERE P_mode = 1 AND P_distance > 200;

-- ------------------------------------------------------- B. person: identity

INSERT INTO wording (rule) VALUES ('RP01'),('RP02'),('RP03'),('RP04'),('RP05'),('RP06'),('RP07'),('RP08'),('RP09'),('RP10'),
 ('RP11'),('RP12'),('RP13'),('RP14'),('RP15'),('RP16'),('RP17'),('RP18'),('RP19'),('RP20'),('RP21'),('RP22'),('RP23'),
 ('RP24'),('RP25'),('RP26'),('RP27'),('RP28'),('RP29'),('RP30'),('RP31'),('RP32'),('RP33'),('RP34'),('RP35'),('RP36'),
 ('RP37'),('RP38'),('RP39'),('RP40'),('RP41'),('RP42'),('RP43'),('RP44'),('RP45'),('RP46'),('RP47'),('RP48'),('RP49'),
 ('RP50'),('RP51'),('RX14');

INSERT INTO oracle SELECT 'RP01', hh, line FROM p WHERE D1 IS NULL OR D1 NOT GLOB '*[^-0-9 !"#$%&''()*+,./:;<=>?@\^_`{|}~]*';
INSERT INTO oracle SELECT 'RP02', hh, line FROM p WHERE length(D1) = 1 OR length(D1) > 25
  OR lower(D1) IN ('测试','测试用户','某某','某某某','无名氏','test','tester','demo','aaa','xxx');
INSERT INTO oracle SELECT 'RP03', hh, line FROM p WHERE D2 IS NULL;
INSERT INTO oracle SELECT 'RP04', hh, line FROM p WHERE D4 IS NULL;
INSERT INTO oracle SELECT 'RP05', hh, line FROM p WHERE D5 IS NULL OR D5 > 24249;
INSERT INTO oracle SELECT 'RP06', hh, line FROM p WHERE age > 125;
INSERT INTO oracle SELECT 'RP07', hh, line FROM p WHERE age BETWEEN 100 AND 125;
INSERT INTO oracle SELECT 'RP08', hh, line FROM p WHERE D3_raw IN ('', '!');
INSERT INTO oracle SELECT 'RP09', hh, line FROM p WHERE id_verdict = 'form';
INSERT INTO oracle SELECT 'RP10', hh, line FROM p WHERE id_verdict = 'digit';
INSERT INTO oracle SELECT 'RP11', hh, line FROM p WHERE id_verdict = 'date';
INSERT INTO oracle SELECT 'RP12', hh, line FROM p WHERE id_month <> D5;
INSERT INTO oracle SELECT 'RP13', hh, line FROM p WHERE id_sex <> D4;
INSERT INTO oracle SELECT 'RP14', hh, line FROM p WHERE id_region_known = 0;
INSERT INTO oracle SELECT 'RP15', hh, line FROM p JOIN h USING (hh) WHERE age < 16
  AND id_region / 10000 <> CASE WHEN D8 = 4 THEN D8a / 10000 WHEN D8 IN (1, 2, 3) THEN province END;
-- the later line carries the finding
INSERT INTO oracle SELECT DISTINCT 'RP16', b.hh, b.line FROM p a JOIN p b ON b.hh = a.hh AND a.line < b.line AND a.id_num = b.id_num;
INSERT INTO oracle SELECT DISTINCT 'RP17', b.hh, b.line FROM p a
  JOIN p b ON b.hh = a.hh AND a.line < b.line AND a.D1 = b.D1 AND a.D4 = b.D4 AND a.D5 = b.D5
  WHERE NOT EXISTS (SELECT 1 FROM p x WHERE x.hh = b.hh AND x.line < b.line AND coalesce(x.D1, b.D1) = b.D1
                    AND (x.D4_bad OR (coalesce(x.D4, b.D4) = b.D4 AND x.D5_bad)));
INSERT INTO oracle SELECT 'RP18', hh, line FROM p WHERE D6 IS NULL;
INSERT INTO oracle SELECT 'RP19', hh, line FROM p WHERE D6 IN (97, 98);

-- ---------------------------------------------- places of stay and registration

INSERT INTO oracle SELECT 'RP20', hh, line FROM p WHERE D7 IS NULL OR D8 IS NULL;
INSERT INTO oracle SELECT 'RP21', hh, line FROM p WHERE D7 <> 1 AND D8 <> 1;
INSERT INTO oracle SELECT 'RP22', hh, line FROM p JOIN h USING (hh) WHERE D7 = 5 AND (D7a IS NULL OR D7a = county);
INSERT INTO oracle SELECT 'RP23', hh, line FROM p JOIN h USING (hh) WHERE D8 = 4 AND (D8a IS NULL OR D8a = county);
INSERT INTO oracle SELECT 'RP24', hh, line FROM p WHERE (D7 <> 5 AND D7a IS NOT NULL)
  OR (NOT D7_bad AND D8 <> 4 AND D8a IS NOT NULL);
INSERT INTO oracle SELECT 'RP25', hh, line FROM p WHERE D8 = 5 AND (D9 IS NOT NULL OR D10 IS NOT NULL);
INSERT INTO oracle SELECT 'RP26', hh, line FROM p WHERE D8 BETWEEN 1 AND 4 AND D9 IS NULL;
INSERT INTO oracle SELECT 'RP27', hh, line FROM p WHERE D7 = 1 AND D8 = 1 AND D9 <> 1;
INSERT INTO oracle SELECT 'RP28', hh, line FROM p WHERE D7 = 1 AND D8 IN (3, 4) AND D9 = 1;
INSERT INTO oracle SELECT 'RP29', hh, line FROM p WHERE D8 = 1 AND D7 >= 4 AND D9 = 1;
INSERT INTO oracle SELECT 'RP30', hh, line FROM p WHERE D9 = 1 AND D10 IS NOT NULL;
INSERT INTO oracle SELECT 'RP31', hh, line FROM p WHERE D9 >= 2 AND D10 IS NULL;
INSERT INTO oracle SELECT 'RP32', hh, line FROM p WHERE (D9 = 9 AND age < 10) OR (D9 = 8 AND age < 5)
  OR (D9 = 7 AND age < 4) OR (D9 = 6 AND age < 3) OR (D9 = 5 AND age < 2) OR (D9 = 4 AND age < 1)
  OR (D9 <= 3 AND age < 0);
INSERT INTO oracle SELECT 'RP33', hh, line FROM p WHERE D10 = 0 AND age < 16;
INSERT INTO oracle SELECT 'RP34', hh, line FROM p WHERE D10 = 1 AND (age < 3 OR age > 60);
INSERT INTO oracle SELECT 'RP35', hh, line FROM p WHERE D10 = 5 AND age < 15;
INSERT INTO oracle SELECT 'RP36', hh, line FROM p WHERE D10 = 6 AND age < 38;
INSERT INTO oracle SELECT 'RP37', hh, line FROM p WHERE D10 = 7 AND age < 20;
INSERT INTO oracle SELECT 'RP38', hh, line FROM p WHERE D10 = 8 AND age < 45;
INSERT INTO oracle SELECT 'RP39', hh, line FROM p WHERE D10 = 4 AND D7 <> 1;

-- ---------------------------------------------------------------- education

INSERT INTO oracle SELECT 'RP40', hh, line FROM p WHERE age >= 3 AND D11 IS NULL;
INSERT INTO oracle SELECT 'RP41', hh, line FROM p WHERE age < 3 AND D11 IS NOT NULL;
INSERT INTO oracle SELECT 'RP42', hh, line FROM p WHERE (age >= 15 AND D12 IS NULL) OR (age < 15 AND D12 IS NOT NULL);
INSERT INTO oracle SELECT 'RP43', hh, line FROM p WHERE (D11 = 3 AND age < 5) OR (D11 = 4 AND age < 10) OR (D11 = 5 AND age < 13);
INSERT INTO oracle SELECT 'RP44', hh, line FROM p WHERE (D11 IN (6, 7) AND age < 14) OR (D11 = 8 AND age < 18) OR (D11 = 9 AND age < 20);
INSERT INTO oracle SELECT 'RP45', hh, line FROM p WHERE D11 = 2 AND age > 8;
INSERT INTO oracle SELECT 'RP46', hh, line FROM p WHERE D11 = 1 AND age BETWEEN 7 AND 30;
INSERT INTO oracle SELECT 'RP47', hh, line FROM p WHERE D11 >= 4 AND D12 = 2;
INSERT INTO oracle SELECT 'RP48', hh, line FROM p WHERE D11 = 3 AND D12 = 2 AND age < 50;
INSERT INTO oracle SELECT 'RP49', hh, line FROM p WHERE D7 = 7 AND age < 1;
-- nobody who could be an adult at the same place
INSERT INTO oracle SELECT 'RP50', a.hh, a.line FROM p a JOIN p b ON b.hh = a.hh
  WHERE a.D7 <> 1 AND a.age < 6 GROUP BY a.hh, a.line
  HAVING total(NOT coalesce(b.age < 18
    OR (NOT b.D5_bad AND (b.D7 <> a.D7
        OR (NOT b.D7_bad AND b.D7 = 5 AND b.D7a <> a.D7a))), 0)) = 0;
INSERT INTO oracle SELECT 'RP51', hh, line FROM p WHERE D8 = 5 AND age < 1 AND 24250 - D5 > 6;
-- county: codes of data/census2020_areas.csv, read by run_rules.sh
INSERT INTO oracle SELECT 'RX14', hh, line FROM p
  WHERE (D7 = 5 AND D7a % 100 <> 0 AND D7a NOT IN (SELECT code FROM county))
     OR (D8 = 4 AND D8a % 100 <> 0 AND D8a NOT IN (SELECT code FROM county));

-- --------------------------------------------------------------- C. deaths

INSERT INTO wording (rule) VALUES ('RS01'),('RS02'),('RS03'),('RS04'),('RS05'),('RS06'),('RS07');
INSERT INTO oracle SELECT 'RS01', hh, line FROM d WHERE S5 IS NULL OR S5 NOT BETWEEN 24238 AND 24249;
INSERT INTO oracle SELECT 'RS02', hh, line FROM d WHERE S5 < S4 OR age > 125;
INSERT INTO oracle SELECT 'RS03', hh, line FROM d WHERE (age >= 3 AND S7 IS NULL) OR (age < 3 AND S7 IS NOT NULL);
INSERT INTO oracle SELECT 'RS04', hh, line FROM d WHERE (age >= 15 AND S8 IS NULL) OR (age < 15 AND S8 IS NOT NULL);
INSERT INTO oracle SELECT DISTINCT 'RS05', d.hh, d.line FROM d JOIN p ON p.hh = d.hh AND p.id_num = d.id_num;
INSERT INTO oracle SELECT 'RS06', hh, line FROM d JOIN h USING (hh)
  WHERE S4 BETWEEN 24238 AND 24249 AND d.age < 1 AND H3m + H3f = 0;
INSERT INTO oracle SELECT 'RS07', hh, line FROM d WHERE id_verdict <> 'ok' OR id_month <> S4
  OR (NOT S4_bad AND (id_sex <> S3 OR (NOT S3_bad AND id_region_known = 0)));

UPDATE wording SET severity = 'soft' WHERE rule IN ('RH12','RH15','RH17','RH19','RH20','RH23','RH28','RH29','RH30',
 'RH31','RH32','RH33','RH34','RH35','RH39','RH40','RH41','RH42','RH43','RH44','RH46','RH47','RH48','RH49','RH50','RH52',
 'RH54','RH55','RP02','RP07','RP14','RP15','RP17','RP19','RP33','RP34','RP36','RP37','RP38','RP39','RP43','RP45','RP46',
 'RP48','RP49','RP50','RP51','RS06','RS07','RX14');
