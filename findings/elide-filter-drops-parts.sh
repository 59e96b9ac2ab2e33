#!/bin/sh
# Elide 7.1.16, the JSON:API library of Terrakube's server, answers 200 to two valid RSQL filters of which it drops a part.
#
# A `filter` without a type works on a root collection. On a collection below a resource, `GET /author/1/book?filter=title==Dracula`,
# the filter is parsed for errors and then not applied: all books come back, if the relationship has the name of its type, as most of
# Terrakube's have; otherwise the answer is a 400. With the type, `filter[book]=title==Dracula`, it applies.
# In a list of values, `title=in=('Fr*',Dracula)`, the first value decides for all: with a `*` at its end, it is a prefix, and the other
# values are dropped; without one, the `*` of the others is an ordinary character.
# A good guess is that a filter either applies as a whole or is refused, and that each value of a list is read like a single one.
#
# Needs: Java 17 or newer, Maven, and Maven Central. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/src/main/java/example"
cd "$folder"
cat > pom.xml <<'EOF'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>filters</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency>
      <groupId>com.yahoo.elide</groupId>
      <artifactId>elide-core</artifactId>
      <version>7.1.16</version>
    </dependency>
    <dependency>
      <groupId>jakarta.persistence</groupId>
      <artifactId>jakarta.persistence-api</artifactId>
      <version>3.1.0</version>
    </dependency>
    <dependency>
      <groupId>com.fasterxml.jackson.core</groupId>
      <artifactId>jackson-databind</artifactId>
      <version>2.19.2</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>jcl-over-slf4j</artifactId>
      <version>2.0.17</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>2.0.17</version>
    </dependency>
  </dependencies>
</project>
EOF
cat > src/main/java/example/Book.java <<'EOF'
package example;

import com.yahoo.elide.annotation.Include;
import jakarta.persistence.*;

@Include(name = "book")
@Entity
public class Book {
    @Id
    public Long id;
    public String title;
    @ManyToOne
    public Author author;

    public Book() {
    }

    Book(long id, String title, Author author) {
        this.id = id;
        this.title = title;
        this.author = author;
        author.book.add(this);
    }
}
EOF
cat > src/main/java/example/Author.java <<'EOF'
package example;

import com.yahoo.elide.annotation.Include;
import jakarta.persistence.*;
import java.util.*;

@Include(name = "author")
@Entity
public class Author {
    @Id
    public Long id;
    public String name;
    @OneToMany(mappedBy = "author")
    public Set<Book> book = new LinkedHashSet<>();
}
EOF
cat > src/main/java/example/Main.java <<'EOF'
package example;

import com.yahoo.elide.*;
import com.yahoo.elide.core.datastore.inmemory.HashMapDataStore;
import com.yahoo.elide.core.dictionary.EntityDictionary;
import com.yahoo.elide.core.request.route.Route;
import com.yahoo.elide.core.utils.DefaultClassScanner;
import com.yahoo.elide.jsonapi.*;
import java.util.*;

public class Main {
    public static void main(String[] words) throws Exception {
        var store = new HashMapDataStore(new DefaultClassScanner(), Book.class.getPackage());
        var dictionary = EntityDictionary.builder().build();
        var settings = ElideSettings.builder().dataStore(store).entityDictionary(dictionary)
                .settings(JsonApiSettings.JsonApiSettingsBuilder.withDefaults(dictionary)).build();
        var elide = new Elide(settings);
        elide.doScans();
        var api = new JsonApi(elide);
        try (var tx = store.beginTransaction()) {
            var author = new Author();
            author.id = 1L;
            author.name = "Various";
            tx.createObject(author, null);
            for (var title : List.of("Frankenstein", "Dracula", "Carmilla")) {
                tx.createObject(new Book(title.length(), title, author), null);
            }
            tx.commit(null);
        }
        for (var asked : List.of(
                "/author/1/book filter title==Dracula",
                "/author/1/book filter[book] title==Dracula",
                "/book filter title==Dracula",
                "/book filter[book] title=in=('Fr*',Dracula)",
                "/book filter[book] title=in=(Dracula,'Fr*')")) {
            var parts = asked.split(" ", 3);
            Map<String, List<String>> query = new HashMap<>();
            query.put(parts[1], List.of(parts[2]));
            query.put("fields[book]", List.of("title"));
            var route = Route.builder().baseUrl("http://localhost").path(parts[0]).parameters(query).apiVersion("").build();
            var answer = api.get(route, null, null);
            var titles = new TreeSet<String>();
            var matcher = java.util.regex.Pattern.compile("\"title\":\"([^\"]*)").matcher(answer.getBody());
            while (matcher.find()) {
                titles.add(matcher.group(1));
            }
            System.out.println("= " + asked + ": " + answer.getStatus() + " " + titles);
        }
    }
}
EOF
mvn -q -B compile org.codehaus.mojo:exec-maven-plugin:3.5.0:java -Dexec.mainClass=example.Main > seen 2> log || { cat seen log; exit 1; }
seen=$(sed 's/\x1b\[[0-9;]*m//g' seen | grep '^= ')
echo "Elide 7.1.16:"
echo "$seen"
expected="= /author/1/book filter title==Dracula: 200 [Carmilla, Dracula, Frankenstein]
= /author/1/book filter[book] title==Dracula: 200 [Dracula]
= /book filter title==Dracula: 200 [Dracula]
= /book filter[book] title=in=('Fr*',Dracula): 200 [Frankenstein]
= /book filter[book] title=in=(Dracula,'Fr*'): 200 [Dracula]"
[ "$seen" = "$expected" ] || { echo "expected:"; echo "$expected"; exit 1; }
