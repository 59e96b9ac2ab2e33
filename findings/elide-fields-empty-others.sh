#!/bin/sh
# Elide 7.1.16, the JSON:API library of Terrakube's server, returns a resource without any attributes or relationships as soon as the
# request limits the fields of some other type.
#
# `GET /book?include=author&fields[author]=name` limits only the authors, and JSON:API says that an endpoint returns all fields of a type
# for which `fields` says nothing. The books come without their title and without their relationship to the author, so that the client cannot
# tell which included author wrote which book. A type that does not exist (`fields[typo]=name`) has the same effect, and no error.
# A good guess is that a sparse fieldset touches the named type only, and that an unknown type is a 400, as an unknown field is.
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
  <artifactId>fields</artifactId>
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
}
EOF
cat > src/main/java/example/Author.java <<'EOF'
package example;

import com.yahoo.elide.annotation.Include;
import jakarta.persistence.*;

@Include(name = "author")
@Entity
public class Author {
    @Id
    public Long id;
    public String name;
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
            author.name = "Shelley";
            var book = new Book();
            book.id = 1L;
            book.title = "Frankenstein";
            book.author = author;
            tx.createObject(author, null);
            tx.createObject(book, null);
            tx.commit(null);
        }
        for (var fields : List.of("", "author", "typo")) {
            Map<String, List<String>> query = new HashMap<>();
            query.put("include", List.of("author"));
            if (!fields.isEmpty()) {
                query.put("fields[" + fields + "]", List.of("name"));
            }
            var route = Route.builder().baseUrl("http://localhost").path("/book").parameters(query).apiVersion("").build();
            var answer = api.get(route, null, null);
            System.out.println(answer.getStatus() + " " + answer.getBody());
        }
    }
}
EOF
mvn -q -B compile org.codehaus.mojo:exec-maven-plugin:3.5.0:java -Dexec.mainClass=example.Main > seen 2> log || { cat seen log; exit 1; }
seen=$(sed 's/\x1b\[[0-9;]*m//g' seen | grep '^[0-9]')
echo "Elide 7.1.16, GET /book?include=author: everything, with fields[author]=name, with fields[typo]=name:"
echo "$seen"
expected='200 {"data":[{"type":"book","id":"1","attributes":{"title":"Frankenstein"},"relationships":{"author":{"data":{"type":"author","id":"1"}}}}],"included":[{"type":"author","id":"1","attributes":{"name":"Shelley"}}]}
200 {"data":[{"type":"book","id":"1"}],"included":[{"type":"author","id":"1","attributes":{"name":"Shelley"}}]}
200 {"data":[{"type":"book","id":"1"}],"included":[{"type":"author","id":"1"}]}'
[ "$seen" = "$expected" ] || { echo "expected:"; echo "$expected"; exit 1; }
