// Prints what a Keycloak distribution understands, as one line of JSON: {version, errors, cacheStacks, features, options}.
//
//   java -cp "$KC/lib/lib/main/*:$KC/lib/lib/boot/*:$KC/lib/app/*" Extract.java 26.7.4
//
// Java 17 or newer. Everything goes by reflection: the names of methods changed between versions, and a method that a
// version lacks just leaves its field out. A class that can't be read at all is named in `errors`.

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

public class Extract {

    private static final String MAPPERS = "org.keycloak.quarkus.runtime.configuration.mappers.PropertyMappers";

    /** By key and category: 25 has a v1 and a v2 of some keys, and import and export share others. */
    private static final Map<String, Map<String, Object>> OPTIONS = new TreeMap<>();
    private static final List<String> ERRORS = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        initialiseProfile();
        readOptions();
        readMappers();
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("version", arguments[0]);
        all.put("errors", ERRORS);
        all.put("cacheStacks", cacheStacks());
        all.put("features", features());
        all.put("options", OPTIONS.values());
        System.out.println(json(all));
    }

    /** In some versions, the classes of options and mappers can't be loaded before the features are known. */
    private static void initialiseProfile() {
        try {
            Class.forName("org.keycloak.common.Profile").getMethod("defaults").invoke(null);
        } catch (ReflectiveOperationException e) {
            ERRORS.add("Profile.defaults: " + e + " / " + e.getCause());
        }
    }

    /** Options are constants of the classes in org.keycloak.config. */
    private static void readOptions() throws Exception {
        Class<?> option = Class.forName("org.keycloak.config.Option");
        for (Class<?> holder : classesBeside(option)) {
            for (Field field : holder.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers()) || field.getType() != option) {
                    continue;
                }
                try {
                    field.setAccessible(true);
                    describe(field.get(null));
                } catch (Throwable e) { // a static initialiser may throw errors, too
                    ERRORS.add(holder.getName() + "." + field.getName() + ": " + e + " / " + e.getCause());
                }
            }
        }
    }

    /** Mappers connect options with the server. They alone know the secrets, the conditions and the generated options. */
    private static void readMappers() {
        try {
            Class<?> mappers = Class.forName(MAPPERS);
            List<Object> all = new ArrayList<>((Collection<?>) mappers.getMethod("getMappers").invoke(null));
            if (has(mappers, "getDisabledMappers")) { // those whose condition the default configuration doesn't meet
                all.addAll(((Map<?, ?>) mappers.getMethod("getDisabledMappers").invoke(null)).values());
            }
            if (has(mappers, "getWildcardMappers")) {
                all.addAll((Collection<?>) mappers.getMethod("getWildcardMappers").invoke(null));
            }
            all.forEach(Extract::describeMapper);
        } catch (ReflectiveOperationException | LinkageError e) {
            ERRORS.add("PropertyMappers: " + e + " / " + e.getCause());
        }
    }

    private static Map<String, Object> describe(Object option) {
        String key = (String) call(option, "getKey");
        Object category = call(call(option, "getCategory"), "getHeading");
        Map<String, Object> entry = OPTIONS.computeIfAbsent(key + "|" + category, id -> new LinkedHashMap<>());
        entry.put("key", key);
        entry.put("env", "KC_" + key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9<>]", "_"));
        entry.put("internal", isPlumbing(key));
        entry.put("category", category);
        entry.put("buildTime", call(option, "isBuildTime"));
        entry.put("hidden", call(option, "isHidden"));
        entry.put("type", ((Class<?>) call(option, "getType")).getSimpleName());
        entry.put("default", defaultOf(option));
        entry.put("expected", call(option, "getExpectedValues"));
        entry.put("strictExpected", call(option, "isStrictExpectedValues"));
        entry.put("caseInsensitiveExpected", call(option, "isCaseInsensitiveExpectedValues"));
        entry.put("description", call(option, "getDescription"));
        entry.put("mapped", false);
        Object deprecated = call(option, "getDeprecatedMetadata");
        if (deprecated != null) {
            Map<String, Object> metadata = new LinkedHashMap<>();
            metadata.put("newOptions", call(deprecated, "getNewOptionsKeys"));
            metadata.put("note", call(deprecated, "getNote"));
            metadata.put("values", call(deprecated, "getDeprecatedValues"));
            boolean onlyValues = metadata.get("values") instanceof Collection<?> values && !values.isEmpty();
            entry.put(onlyValues ? "deprecatedValues" : "deprecated", metadata);
        }
        return entry;
    }

    private static void describeMapper(Object mapper) {
        Object option = call(mapper, "getOption");
        String key = (String) call(option, "getKey");
        if (key == null) {
            return;
        }
        Map<String, Object> entry = OPTIONS.get(key + "|" + call(call(option, "getCategory"), "getHeading"));
        if (entry == null) {
            entry = describe(option);
        }
        entry.put("mapped", true);
        // One option may feed several properties. Those mapped from the option itself are secondary and hidden.
        if (key.equals(call(mapper, "getMapFrom"))) {
            return;
        }
        Object hidden = call(mapper, "isHidden");
        if (hidden != null) {
            entry.put("hidden", hidden);
        }
        Object effective = call(mapper, "getDefaultValue");
        if (effective != null && entry.get("default") == null) {
            entry.put("default", effective.toString());
        }
        if (Boolean.TRUE.equals(call(mapper, "isMask"))) {
            entry.put("mask", true);
        }
        Object condition = call(mapper, "getEnabledWhen");
        if (condition != null) {
            entry.put("enabledWhen", condition);
        }
        if (call(mapper, "getExpectedValues") instanceof Collection<?> values && !values.isEmpty()) {
            entry.put("expected", values);
        }
    }

    /** Options that Keycloak makes for its own mappers; nobody sets them. */
    private static boolean isPlumbing(String key) {
        return key.endsWith("-hidden-mapper") || key.equals("exporter") || key.equals("importer")
                || key.matches(".*[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-.*");
    }

    private static Object defaultOf(Object option) {
        Object value = call(option, "getDefaultValue");
        if (value == null) {
            return null;
        }
        try {
            return option.getClass().getMethod("getDefaultValueString", Object.class).invoke(null, value);
        } catch (ReflectiveOperationException e) {
            return value.toString();
        }
    }

    private static List<Map<String, Object>> features() throws ClassNotFoundException {
        List<Map<String, Object>> features = new ArrayList<>();
        for (Object feature : Class.forName("org.keycloak.common.Profile$Feature").getEnumConstants()) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("name", feature.toString());
            entry.put("key", call(feature, "getKey"));
            entry.put("unversionedKey", call(feature, "getUnversionedKey"));
            entry.put("versionedKey", call(feature, "getVersionedKey"));
            entry.put("type", String.valueOf(call(feature, "getType")));
            entry.put("label", call(feature, "getLabel"));
            if (call(feature, "getDependencies") instanceof Collection<?> needed) {
                entry.put("dependencies", needed.stream().map(String::valueOf).sorted().toList());
            }
            Object policy = call(feature, "getUpdatePolicy");
            if (policy != null) {
                entry.put("updatePolicy", policy.toString());
            }
            entry.put("deprecated", call(feature, "isDeprecated"));
            features.add(entry);
        }
        return features;
    }

    private static List<Map<String, Object>> cacheStacks() throws ClassNotFoundException {
        return Stream.of(Class.forName("org.keycloak.config.CachingOptions$Stack").getEnumConstants())
                .map(stack -> Map.<String, Object>of("value", stack.toString())).toList();
    }

    private static List<Class<?>> classesBeside(Class<?> anchor) throws Exception {
        URI jar = anchor.getProtectionDomain().getCodeSource().getLocation().toURI();
        String folder = "/" + anchor.getPackageName().replace('.', '/');
        List<Class<?>> classes = new ArrayList<>();
        try (FileSystem files = FileSystems.newFileSystem(Path.of(jar)); Stream<Path> paths = Files.walk(files.getPath(folder))) {
            for (Path path : paths.filter(path -> path.toString().endsWith(".class")).sorted().toList()) {
                String name = path.toString().substring(1).replaceAll("\\.class$", "").replace('/', '.');
                classes.add(Class.forName(name, false, anchor.getClassLoader()));
            }
        }
        return classes;
    }

    private static boolean has(Class<?> type, String method) {
        return Stream.of(type.getMethods()).anyMatch(candidate -> candidate.getName().equals(method));
    }

    /** The result of a method without parameters, a full Optional unpacked; null if there is no such method. */
    private static Object call(Object target, String name) {
        for (Class<?> type = target == null ? null : target.getClass(); type != null; type = type.getSuperclass()) {
            try {
                Method method = type.getDeclaredMethod(name);
                method.setAccessible(true);
                Object result = method.invoke(target);
                return result instanceof Optional<?> optional ? optional.orElse(null) : result;
            } catch (NoSuchMethodException e) {
                // the superclass may have it
            } catch (ReflectiveOperationException e) {
                ERRORS.add(type.getName() + "." + name + ": " + e + " / " + e.getCause());
                return null;
            }
        }
        return null;
    }

    private static String json(Object value) {
        if (value == null || value instanceof Boolean || value instanceof Number) {
            return String.valueOf(value);
        }
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream().map(entry -> json(entry.getKey()) + ":" + json(entry.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof Collection<?> values) {
            return values.stream().map(Extract::json).collect(Collectors.joining(",", "[", "]"));
        }
        StringBuilder text = new StringBuilder("\"");
        for (char letter : value.toString().toCharArray()) {
            switch (letter) {
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                // plain ASCII, so that the console's encoding doesn't matter
                default -> text.append(letter < 32 || letter > 126 ? String.format("\\u%04x", (int) letter) : String.valueOf(letter));
            }
        }
        return text.append('"').toString();
    }
}
