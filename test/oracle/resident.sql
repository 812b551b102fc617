-- Residents by truth.csv alone, independent of any C: the nine cases are
-- written out again here.  Plain SQLite.
--
--   sqlite3 :memory: '.import --csv truth.csv truth' '.read resident.sql'
--
-- One row: resident_truth; then one row a kind of fault: how many, and what
-- they add to the count of residents as long as they stand.  The count of an
-- installation minus resident_truth is the sum of delta_resident over the
-- faults still open.
--
-- stay, registration, left are the codes of D7, D8, D9; where a plan has one
-- registration a person they are empty and every record is a resident's.
SELECT 'resident_truth' AS name,
       NULL AS n,
       SUM(CASE
             WHEN stay = '' AND registration = '' THEN 1
             WHEN stay = '1' AND registration = '1' THEN 1
             WHEN stay = '1' AND registration = '2' THEN 1
             WHEN stay = '1' AND registration IN ('3', '4')
                  AND left IN ('3', '4', '5', '6', '7', '8', '9') THEN 1
             WHEN stay = '1' AND registration = '5' THEN 1
             WHEN registration = '1' AND stay IN ('4', '5') AND left = '2'
                  THEN 1
             WHEN registration = '1' AND stay IN ('6', '7') THEN 1
             ELSE 0
           END) AS value
  FROM truth
 WHERE row = 'person'
UNION ALL
SELECT 'delta_' || CASE WHEN kind LIKE 'item:%' THEN 'item' ELSE kind END,
       COUNT(*),
       SUM(CAST(delta_resident AS INTEGER))
  FROM truth
 WHERE row = 'fault'
 GROUP BY CASE WHEN kind LIKE 'item:%' THEN 'item' ELSE kind END;
