#!/bin/sh
# Quartz 2.5.2 loses a step that follows names: `MON-FRI/2` runs on every day from Monday to Friday, while `2-6/2`, which says the same in
# numbers, runs on Monday, Wednesday and Friday. `JAN-DEC/3` runs every month. A weekday beside a `#` is lost, too: `2#1,6` is `2#1`.
#
# None of them is refused, although the combination of `L` and other weekdays is. A good guess is that names stand for their numbers.
#
# Needs: java, mvn, and a repository for Maven. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for artifact in org.quartz-scheduler:quartz:2.5.2 org.slf4j:slf4j-api:2.0.16; do
  mvn -q dependency:copy -Dartifact=$artifact -DoutputDirectory="$folder" >/dev/null
done
cat > Steps.java <<'EOF'
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.TimeZone;
import org.quartz.CronExpression;

public class Steps {
    public static void main(String[] arguments) throws Exception {
        SimpleDateFormat format = new SimpleDateFormat("yyyy-MM-dd");
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        String[] all = {"0 0 0 ? * 2-6/2", "0 0 0 ? * MON-FRI/2", "0 0 0 1 1-12/3 ?", "0 0 0 1 JAN-DEC/3 ?", "0 0 0 ? * 2#1,6"};
        for (String text : all) {
            CronExpression expression = new CronExpression(text);
            expression.setTimeZone(TimeZone.getTimeZone("UTC"));
            Date time = format.parse("2026-11-27");
            StringBuilder line = new StringBuilder(text + ":");
            for (int count = 0; count < 4; count++) {
                time = expression.getNextValidTimeAfter(time);
                line.append(" ").append(format.format(time));
            }
            System.out.println(line);
        }
    }
}
EOF
seen=$(java -cp "$folder/quartz-2.5.2.jar:$folder/slf4j-api-2.0.16.jar" Steps.java 2>/dev/null)
echo "Quartz 2.5.2:"
echo "$seen"
expected="0 0 0 ? * 2-6/2: 2026-11-30 2026-12-02 2026-12-04 2026-12-07
0 0 0 ? * MON-FRI/2: 2026-11-30 2026-12-01 2026-12-02 2026-12-03
0 0 0 1 1-12/3 ?: 2027-01-01 2027-04-01 2027-07-01 2027-10-01
0 0 0 1 JAN-DEC/3 ?: 2026-12-01 2027-01-01 2027-02-01 2027-03-01
0 0 0 ? * 2#1,6: 2026-12-07 2027-01-04 2027-02-01 2027-03-01"
[ "$seen" = "$expected" ] || { echo "expected:"; echo "$expected"; exit 1; }
